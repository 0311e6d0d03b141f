"""The service: POST an image to /predict or /explain, and read what it shows; a page to try it, and what answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Annotated, Any

from triscale._version import __version__
from triscale.data.decode.image import ForeignError, UnreadableError
from triscale.deploy.exported import Exported
from triscale.deploy.serving.guard import Application, Bodies, Limits, Receive, RefusedError, guarded
from triscale.deploy.serving.image_answers import explained, map_method, predicted
from triscale.errors import InputError
from triscale.spec import content_hash, preprocessing_to_dict
from triscale.weights import Classifier, Predictor

PAGE = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
"""Paths of the page and its parts: the file in this package, and its kind."""

_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"description": "No image, a request that is cut off, or a header Host that is not ours"},
    408: {"description": "The image did not come in time"},
    413: {"description": "The image is too large"},
    415: {"description": "Not an image of an allowed format"},
    422: {"description": "A broken image, or one of too many pixels"},
    503: {"description": "Too many images at once; the header Retry-After says when to try again"},
}
_NO_MAPS: dict[int | str, dict[str, Any]] = {404: {"description": "What answers has no maps"}}
_JSON = (b"{", b"[", b'"')
"""How JSON begins, and no image does."""
_HINT = (
    "the body is JSON; send the bytes of an image as the body (curl --data-binary @photo.jpg), or a form with a file"
)
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"image": {"type": "string", "format": "binary"}}}
            },
        },
    }
}


class Service:
    """Answers requests by one classifier; at most `limits.workers` images are worked on at once."""

    def __init__(self, classifier: Predictor, limits: Limits) -> None:
        self.classifier = classifier
        self.limits = limits
        self.bodies = Bodies(limits)
        self.jobs = 0
        self.pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="triscale")

    async def predict(self, body: bytes, top: int) -> dict[str, Any]:
        """What one image shows, see `triscale.deploy.serving.image_answers.predicted`.

        Raises:
            RefusedError: no image that we take (400, 415, 422), or too many at once (503).
        """
        return await self._worked(predicted, self.classifier, body, top)

    async def explain(self, body: bytes, top: int) -> dict[str, Any]:
        """The same with the map of the first class, see `triscale.deploy.serving.image_answers.explained`.

        Raises:
            RefusedError: there are no maps (404); or see `predict`.
        """
        classifier = self.classifier
        if not isinstance(classifier, Classifier) or map_method(classifier) is None:
            raise RefusedError(404, "an exported file or a foreign network has no maps; POST to /predict")
        return await self._worked(explained, classifier, body, top)

    async def _worked(
        self, work: Callable[..., dict[str, Any]], classifier: Predictor, body: bytes, top: int
    ) -> dict[str, Any]:
        """What a function says about an image, in one of the workers."""
        if not body:
            raise RefusedError(400, "there is no image in the request")
        if self.jobs >= self.limits.jobs:
            raise RefusedError(503, "too many images at once; try again", retry=True)
        self.jobs += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self.pool, work, classifier, body, top)
        except UnreadableError as error:
            raise RefusedError(
                415 if isinstance(error, ForeignError) else 422, f"the image cannot be read: {error}"
            ) from None
        except MemoryError:
            raise RefusedError(503, "not enough memory for this image now; try again", retry=True) from None
        finally:
            self.jobs -= 1

    def about(self) -> dict[str, Any]:
        """What answers: the network, its lock, and for an exported file how it was proven."""
        network, size = self.classifier.network, self.classifier.resolution
        exported = self.classifier if isinstance(self.classifier, Exported) else None
        return {
            "network": network.name,
            "hash": content_hash(network),
            "classes": len(self.classifier.classes),
            "resolution": list(size),
            "preprocessing": preprocessing_to_dict(self.classifier.preprocessing),
            "overridden": self.classifier.overrides_document(),
            "maps": map_method(self.classifier),
            "proof": dict(exported.about.proof) if exported else None,
            "most_bytes": self.limits.body,
            "triscale": __version__,
        }


def application(service: Service, host: str) -> Application:
    """The ASGI application of a service that listens at `host`.

    Raises:
        InputError: FastAPI is not installed.
    """
    try:
        import python_multipart  # noqa: F401, PLC0415  FastAPI asks for it only when a form comes
        from fastapi import FastAPI, Query, Request  # noqa: PLC0415  of an extra
        from fastapi.responses import JSONResponse, Response  # noqa: PLC0415
    except ImportError:
        raise InputError("the service needs FastAPI and uvicorn: pip install 'triscale[serve]'.") from None
    app = FastAPI(title="triscale", version=__version__, docs_url=None, redoc_url=None)  # those pages load from afar

    @app.post("/predict", responses=_ERRORS, openapi_extra=_BODY)
    async def predict(request: Request, top: Annotated[int, Query(ge=1, le=1000)] = 5) -> list[dict[str, Any]]:
        """Classes of one image, the most probable first, and the seconds that they took.

        Send the image's bytes as the body, or as a form's file.
        """
        return await _answered(service, request, top, service.predict)

    @app.post("/explain", responses={**_ERRORS, **_NO_MAPS}, openapi_extra=_BODY)
    async def explain(request: Request, top: Annotated[int, Query(ge=1, le=1000)] = 5) -> list[dict[str, Any]]:
        """The same, and where the network sees the first class: a PNG in base64, red where it looks most."""
        return await _answered(service, request, top, service.explain)

    @app.get("/health")
    async def health() -> dict[str, str]:
        """That the service answers."""
        return {"status": "ok"}

    @app.get("/about")
    async def about() -> dict[str, Any]:
        """The network and its preprocessing."""
        return service.about()

    def page(file: str, kind: str) -> Any:
        content = (files("triscale.deploy.serving") / "page" / file).read_bytes()

        async def sent() -> Response:
            return Response(content, media_type=kind)

        return sent

    for path, (file, kind) in PAGE.items():
        app.add_api_route(path, page(file, kind), include_in_schema=False)

    @app.exception_handler(RefusedError)
    async def refused(request: Request, error: RefusedError) -> Response:
        del request
        return JSONResponse({"detail": str(error)}, error.status, error.headers)

    return guarded(app, host)


async def _answered(
    service: Service, request: Any, top: int, answer: Callable[[bytes, int], Awaitable[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """What is said about the image in a request."""
    body = await service.bodies.read(request.headers.get("content-length"), request.receive)
    try:
        name, picture = await _picture(request, body)
        found = {"image": name, **await answer(picture, top)}
    finally:
        service.bodies.release(len(body))
    overridden = service.classifier.overrides_document()
    return [{**found, "overridden": overridden} if overridden else found]


async def _picture(request: Any, body: bytes) -> tuple[str, bytes]:
    """The name and the bytes of the image in a body: of a form's first file, or the body itself."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise RefusedError(415, "the body is compressed; send the image as it is")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        if body.lstrip()[:1] in _JSON:
            raise RefusedError(415, _HINT)
        return "", body
    form = await type(request)(_lowered(request.scope), _once(body)).form(max_files=1, max_fields=8)
    uploads = [value for value in form.values() if hasattr(value, "filename")]
    if not uploads:
        raise RefusedError(400, "there is no file in the form")
    try:
        return PurePosixPath(uploads[0].filename or "").name, await uploads[0].read()
    finally:
        await form.close()


def _lowered(scope: Any) -> dict[str, Any]:
    """The request with the content type of a form as every parser knows it: its names have no case (RFC 9110)."""
    message = Message()
    message["content-type"] = dict(scope["headers"])[b"content-type"].decode("latin-1")
    boundary = message.get_boundary()
    if boundary is None:  # the parser says so
        return dict(scope)
    kind = f'multipart/form-data; boundary="{boundary}"'.encode("latin-1")
    others = [header for header in scope["headers"] if header[0] != b"content-type"]
    return {**scope, "headers": [*others, (b"content-type", kind)]}


def _once(body: bytes) -> Receive:
    """The body again, for a parser that wants to receive it."""

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive  # type: ignore[return-value]  # a message that nobody changes
