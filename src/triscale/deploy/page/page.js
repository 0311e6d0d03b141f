"use strict";
const [file, drop, preview, hint, status, answer, about] =
  ["file", "drop", "preview", "hint", "status", "answer", "about"].map((id) => document.getElementById(id));
let mostBytes = Infinity;
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

async function ask(picture) {
  const turn = ++asked;
  answer.replaceChildren();
  URL.revokeObjectURL(preview.src);
  preview.src = URL.createObjectURL(picture);
  preview.hidden = false;
  hint.hidden = true;
  if (picture.size > mostBytes) {
    say(`This picture is larger than ${Math.floor(mostBytes / 1e6)} MB.`, true);
    return;
  }
  say("Looking ...");
  try {
    const response = await fetch("predict?top=5", { method: "POST", body: picture });
    const found = await response.json();
    if (turn !== asked) return; // another picture was chosen meanwhile
    if (!response.ok) throw new Error(typeof found.detail === "string" ? found.detail : "it was refused");
    show(found[0].top);
    say("");
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
  const [high, wide] = found.resolution;
  about.textContent = `${found.network} · ${found.classes.toLocaleString("en")} classes · ${wide} × ${high} px`;
  document.title = `${found.network} - triscale`;
});
