"use strict";
const [file, drop, preview, hint, status, answer, about, seen, map, caption] =
  ["file", "drop", "preview", "hint", "status", "answer", "about", "seen", "map", "caption"]
    .map((id) => document.getElementById(id));
let mostBytes = Infinity;
let path = "predict"; // until /about says that there are maps
let asked = 0;

// Names come from whoever trained the network: as text only, never as markup.
function element(name, text) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return made;
}

function say(text, wrong = false) {
  status.textContent = text;
  status.classList.toggle("wrong", wrong);
}

function show(top) {
  answer.replaceChildren(...top.map(({ name, probability }) => {
    const row = element("li"), line = element("div"), bar = element("progress");
    const percent = `${(100 * probability).toFixed(1)}%`;
    bar.max = 1;
    bar.value = probability;
    bar.setAttribute("aria-label", `${name}: ${percent}`);
    line.append(element("b", name), element("span", percent));
    row.append(line, bar);
    return row;
  }));
}

function duration(seconds) {
  return seconds < 1 ? `${Math.max(1, Math.round(1000 * seconds))} ms` : `${seconds.toFixed(1)} s`;
}

function showMap(drawn) {
  seen.hidden = !drawn;
  URL.revokeObjectURL(map.src);
  if (!drawn) return;
  const bytes = Uint8Array.from(atob(drawn.png), (sign) => sign.charCodeAt(0));
  map.src = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  map.alt = `Where the network sees ${drawn.name}`;
  caption.textContent = `Where the network sees ${drawn.name}: red most, dark least (${drawn.method}).`;
}

async function ask(picture) {
  const turn = ++asked;
  answer.replaceChildren();
  showMap(null);
  URL.revokeObjectURL(preview.src);
  preview.src = URL.createObjectURL(picture);
  preview.hidden = false;
  hint.hidden = true;
  if (picture.size > mostBytes) {
    say(`This image is larger than ${Math.floor(mostBytes / 1e6)} MB.`, true);
    return;
  }
  say("Looking ...");
  try {
    const response = await fetch(`${path}?top=5`, { method: "POST", body: picture });
    const found = await response.json();
    if (turn !== asked) return; // another image was chosen meanwhile
    if (!response.ok) throw new Error(typeof found.detail === "string" ? found.detail : "it was rejected");
    show(found[0].top);
    showMap(found[0].map);
    say(`Answered in ${duration(found[0].seconds)}.`);
  } catch (error) {
    if (turn === asked) say(error instanceof TypeError ? "The service does not answer." : `No answer: ${error.message}.`, true);
  }
}

preview.addEventListener("error", () => { preview.hidden = true; hint.hidden = false; });
file.addEventListener("change", () => { if (file.files[0]) ask(file.files[0]); });
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (event.dataTransfer.files[0]) ask(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => {
  const pasted = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
  if (pasted) ask(pasted);
});

fetch("about").then((response) => response.json()).then((found) => {
  mostBytes = found.most_bytes;
  if (found.maps) path = "explain";
  const [high, wide] = found.resolution;
  about.textContent = `${found.network} · ${found.classes.toLocaleString("en")} classes · ${wide} × ${high} px`;
  document.title = `${found.network} - triscale`;
});
