"""A server that answers as the Hugging Face Hub does, as far as models come and go: real HTTP on this machine.

Large files lie on a second host name (``localhost`` beside ``127.0.0.1``), as the Hub's lie on another server, so that
a token sent there is seen. Everything asked is in `requests`; `faults` make it fail in the ways of real servers.
"""

import base64
import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = (".safetensors", ".png", ".webp", ".bin", ".zip", ".pth")
PIECE_BYTES = 8192
ACCOUNTS = {"owner-token": "write", "reader-token": "read", "stranger-token": "write"}


@dataclass
class Repo:
    """A repository: commits by hash, branches and tags by name, and who may see it."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    is_private: bool = False
    is_gated: bool = False
    tokens: tuple[str, ...] = ("owner-token",)
    tags: tuple[str, ...] = ("unified-latents",)
    claimed: dict[str, str] = field(default_factory=dict)  # SHA-256 that the Hub claims for a file

    def commit(self, files: Mapping[str, bytes], ref: str = "main") -> str:
        """A new commit that holds `files`; returns its hash."""
        digest = hashlib.sha1(str(len(self.commits)).encode())
        for name, content in sorted(files.items()):
            digest.update(name.encode() + content)
        self.commits[digest.hexdigest()] = dict(files)
        self.refs[ref] = digest.hexdigest()
        return digest.hexdigest()

    def resolve(self, revision: str) -> str | None:
        commit = self.refs.get(revision, revision)
        return commit if commit in self.commits else None


@dataclass(frozen=True)
class Seen:
    """One request."""

    method: str
    path: str
    host: str
    token: str | None
    start: int | None
    sent: list[int] = field(default_factory=lambda: [0])

    @property
    def sent_bytes(self) -> int:
        return self.sent[0]


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose path contains `path`."""

    path: str
    times: int = 1
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None  # instead of the right one
    cut_after: int | None = None  # break off the connection after so many bytes
    short_by: int = 0  # claim and send fewer bytes
    ignores_range: bool = False
    is_chunked: bool = False  # do not say how long it is
    is_silent: bool = False  # never answer
    pause_s: float = 0.0  # between two pieces of a body


class HubServer:
    """The server and its content; use as a context manager."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.requests: list[Seen] = []
        self.faults: list[Fault] = []
        self.large: dict[str, bytes] = {}
        self.commits: list[list[dict[str, Any]]] = []
        self._lock = threading.Lock()
        self._release = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients hang up in these tests
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="hub server")

    def __enter__(self) -> "HubServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def storage(self) -> str:
        return f"http://localhost:{self._server.server_port}"

    def add(self, repo: str, files: Mapping[str, bytes], **fields: Any) -> str:
        """A repository with one commit; returns the commit."""
        self.repos[repo] = Repo(**fields)
        return self.push(repo, files)

    def push(self, repo: str, files: Mapping[str, bytes], ref: str = "main") -> str:
        for name, content in files.items():
            if name.endswith(LARGE):
                self.large[hashlib.sha256(content).hexdigest()] = content
        return self.repos[repo].commit(files, ref)

    def forget(self) -> None:
        """Forget what was asked, mend every fault, and let go of every request that is held up."""
        self._release.set()
        self._release = threading.Event()
        self.requests.clear()
        self.faults.clear()

    def asked(self, part: str, method: str = "GET") -> list[Seen]:
        """Requests whose path contains `part`."""
        return [seen for seen in self.requests if part in seen.path and seen.method == method]

    def sent(self, content: bytes) -> list[Seen]:
        """Requests for the body of a large file."""
        return self.asked(f"/large/{hashlib.sha256(content).hexdigest()}")

    def take_fault(self, path: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.path in path and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def hold(self, seconds: float) -> bool:
        """Hold a request up; whether it was let go before its time."""
        return self._release.wait(seconds)


def _handler(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"hub": hub})


Route = tuple[str, re.Pattern[str], Callable[..., None]]


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._dispatch()

    def do_HEAD(self) -> None:
        self._dispatch()

    def do_POST(self) -> None:
        self._dispatch()

    def do_PUT(self) -> None:
        self._dispatch()

    def _dispatch(self) -> None:
        self.close_connection = True
        path = unquote(urlsplit(self.path).path)
        self.token = self.headers.get("Authorization", "").removeprefix("Bearer ") or None
        start = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        host = self.headers.get("Host", "").partition(":")[0]
        self.seen = Seen(self.command, path, host, self.token, int(start[1]) if start else None)
        self.hub.requests.append(self.seen)
        self.fault = self.hub.take_fault(path)
        if self.fault is not None and self.fault.is_silent:
            self.hub.hold(5.0)
            return
        if self.fault is not None and self.fault.status:
            self._send(self.fault.status, self.fault.body or b"", self.fault.headers)
            return
        if self.token is not None and self.token not in ACCOUNTS:
            self._refuse(401, "", "Invalid credentials in Authorization header")
            return
        for method, pattern, answer in _ROUTES:
            found = pattern.fullmatch(path)
            if found and (method == self.command or (method, self.command) == ("GET", "HEAD")):
                answer(self, *found.groups())
                return
        self._refuse(404, "", "Not found")

    # ------------------------------------------------------------------------------------------------- answers

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        is_chunked = self.fault is not None and self.fault.is_chunked
        length = {"Transfer-Encoding": "chunked"} if is_chunked else {"Content-Length": str(len(body))}
        self.send_response(status)
        for name, value in {"Connection": "close", **length, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if is_chunked:
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n")
        elif self.command != "HEAD":
            self._body(body)

    def _body(self, body: bytes) -> None:
        fault = self.fault or Fault("")
        for begin in range(0, len(body), PIECE_BYTES):
            piece = body[begin : begin + PIECE_BYTES]
            if fault.cut_after is not None:
                piece = piece[: max(0, fault.cut_after - begin)]
            self.wfile.write(piece)
            self.wfile.flush()
            self.seen.sent[0] += len(piece)
            if fault.cut_after is not None and begin + PIECE_BYTES >= fault.cut_after:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if fault.pause_s and self.hub.hold(fault.pause_s):
                return

    def _json(self, data: Any, status: int = 200) -> None:
        self._send(status, json.dumps(data).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str, message: str) -> None:
        headers = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {})}
        self._send(status, json.dumps({"error": message}).encode(), headers | {"Content-Type": "application/json"})

    def _payload(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        return b"".join(parts)

    def _repo(self, name: str, *, content: bool = False) -> Repo | None:
        """The repository, or None once the request was refused as the Hub refuses it."""
        repo = self.hub.repos.get(name)
        is_known = repo is not None and self.token in repo.tokens
        if repo is None or (repo.is_private and not is_known):
            self._refuse(404 if self.token else 401, "RepoNotFound", "Repository not found")
            return None
        if content and repo.is_gated and not is_known:
            self._refuse(403 if self.token else 401, "GatedRepo", f"Access to model {name} is restricted.")
            return None
        return repo

    # -------------------------------------------------------------------------------------------------- reading

    def model_info(self, name: str, revision: str | None) -> None:
        repo = self._repo(name)
        if repo is None:
            return
        commit = repo.resolve(revision or "main")
        if commit is None:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        with_blobs = "blobs" in parse_qs(urlsplit(self.path).query)
        siblings = [self._sibling(repo, file, content, with_blobs) for file, content in repo.commits[commit].items()]
        self._json({"id": name, "sha": commit, "siblings": siblings, "tags": repo.tags, "private": repo.is_private})

    def _sibling(self, repo: Repo, name: str, content: bytes, with_blobs: bool) -> dict[str, Any]:
        if not with_blobs:
            return {"rfilename": name}
        sha256 = repo.claimed.get(name, hashlib.sha256(content).hexdigest())
        lfs = {"sha256": sha256, "size": len(content), "pointerSize": 130}
        row = {"rfilename": name, "size": len(content), "blobId": _git_hash(content)}
        return row | ({"lfs": lfs} if name.endswith(LARGE) else {})

    def tree(self, name: str, revision: str) -> None:
        repo = self._repo(name)
        commit = repo.resolve(revision) if repo else None
        if repo is None or commit is None:
            return
        self._json([self._tree_row(file, content) for file, content in repo.commits[commit].items()])

    def _tree_row(self, name: str, content: bytes) -> dict[str, Any]:
        row = {"type": "file", "path": name, "size": len(content), "oid": _git_hash(content)}
        lfs = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
        return row | ({"lfs": lfs} if name.endswith(LARGE) else {})

    def resolve(self, name: str, revision: str, file: str) -> None:
        repo = self._repo(name, content=True)
        if repo is None:
            return
        commit = repo.resolve(revision)
        if commit is None:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        content = repo.commits[commit].get(file)
        if content is None:
            self._refuse(404, "EntryNotFound", "Entry not found")
            return
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if file.endswith(LARGE):
            sha256 = hashlib.sha256(content).hexdigest()
            linked = {"X-Linked-Etag": f'"{sha256}"', "X-Linked-Size": str(len(content))}
            self._send(302, b"", headers | linked | {"Location": f"{self.hub.storage}/large/{sha256}"})
            return
        body = self.fault.body if self.fault is not None and self.fault.body is not None else content
        self._send(200, body, headers | {"ETag": f'"{_git_hash(content)}"'})

    def large_file(self, sha256: str) -> None:
        content = self.hub.large[sha256]
        fault = self.fault or Fault("")
        content = fault.body if fault.body is not None else content
        content = content[: len(content) - fault.short_by]
        start = 0 if fault.ignores_range else self.seen.start or 0
        if start >= len(content) > 0:
            self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            return
        part = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
        self._send(206 if start else 200, content[start:], {"ETag": f'"{sha256}"', "Accept-Ranges": "bytes"} | part)

    def search(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        words, wanted = query.get("search", [""])[0], set(query.get("filter", []))
        rows = [
            {"id": name, "downloads": 7, "likes": 2, "tags": repo.tags, "gated": "auto" if repo.is_gated else False}
            | {"lastModified": "2026-11-20T10:00:00.000Z", "private": False, "pipeline_tag": "text-to-image"}
            for name, repo in self.hub.repos.items()
            if words in name and wanted <= set(repo.tags) and not repo.is_private
        ]
        self._json(rows[: int(query.get("limit", ["1000"])[0])])

    def whoami(self) -> None:
        if self.token is None:
            self._refuse(401, "", "Invalid username or password.")
            return
        role = ACCOUNTS[self.token]
        self._json({"name": self.token.partition("-")[0], "auth": {"accessToken": {"role": role}}})

    # -------------------------------------------------------------------------------------------------- writing

    def create(self) -> None:
        data = json.loads(self._payload())
        name = f"{data['organization']}/{data['name']}"
        if name in self.hub.repos:
            self._json({"error": "You already created this model repo", "url": f"{self.hub.endpoint}/{name}"}, 409)
            return
        is_private = data.get("visibility") == "private"
        self.hub.repos[name] = Repo(is_private=is_private, tokens=(self.token or "",), tags=())
        self.hub.push(name, {".gitattributes": b"*.safetensors filter=lfs"})
        self._json({"url": f"{self.hub.endpoint}/{name}"})

    def branch(self, name: str, branch: str) -> None:
        self._payload()
        repo = self.hub.repos[name]
        if branch in repo.refs:
            self._json({"error": "Reference already exists"}, 409)
            return
        repo.refs[branch] = repo.refs["main"]
        self._json({})

    def validate_yaml(self) -> None:
        content = json.loads(self._payload())["content"]
        if "license: nonsense" in content:
            self._json({"errors": [{"message": '"license" must be one of the known ones'}], "warnings": []}, 400)
            return
        self._json({"errors": [], "warnings": []})

    def preupload(self, name: str, revision: str) -> None:
        files = json.loads(self._payload())["files"]
        repo = self.hub.repos[name]
        if self.token not in repo.tokens or repo.resolve(revision) is None:
            self._refuse(403, "", "You don't have the rights to write here")
            return
        modes = [("lfs" if file["path"].endswith(LARGE) else "regular") for file in files]
        rows = [
            {"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": None}
            for file, mode in zip(files, modes, strict=True)
        ]
        self._json({"files": rows})

    def large_batch(self, name: str) -> None:
        objects = json.loads(self._payload())["objects"]
        self._json({"transfer": "basic", "objects": [self._upload_action(name, thing) for thing in objects]})

    def _upload_action(self, name: str, thing: dict[str, Any]) -> dict[str, Any]:
        if thing["oid"] in self.hub.large:
            return thing
        return thing | {"actions": {"upload": {"href": f"{self.hub.storage}/large/{thing['oid']}"}}}

    def put_large(self, sha256: str) -> None:
        content = self._payload()
        assert hashlib.sha256(content).hexdigest() == sha256
        self.hub.large[sha256] = content
        self._send(200, b"")

    def commit(self, name: str, revision: str) -> None:
        lines = [json.loads(line) for line in self._payload().splitlines()]
        self.hub.commits.append(lines)
        repo = self.hub.repos[name]
        files = dict(repo.commits[repo.refs[revision]])
        for line in lines:
            if line["key"] == "file":
                files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            elif line["key"] == "lfsFile":
                files[line["value"]["path"]] = self.hub.large[line["value"]["oid"]]
        oid = self.hub.push(name, files, revision)
        self._json({"commitUrl": f"{self.hub.endpoint}/{name}/commit/{oid}", "commitOid": oid})


_NAME = r"([^/]+/[^/]+)"
_ROUTES: tuple[Route, ...] = tuple(
    (method, re.compile(pattern), answer)
    for method, pattern, answer in (
        ("GET", f"/api/models/{_NAME}(?:/revision/(.+))?", _Handler.model_info),
        ("GET", f"/api/models/{_NAME}/tree/([^/]+)", _Handler.tree),
        ("GET", "/api/models", _Handler.search),
        ("GET", "/api/whoami-v2", _Handler.whoami),
        ("GET", "/large/([0-9a-f]{64})", _Handler.large_file),
        ("GET", f"/{_NAME}/resolve/([^/]+)/(.+)", _Handler.resolve),
        ("POST", "/api/repos/create", _Handler.create),
        ("POST", "/api/validate-yaml", _Handler.validate_yaml),
        ("POST", f"/api/models/{_NAME}/branch/(.+)", _Handler.branch),
        ("POST", f"/api/models/{_NAME}/preupload/(.+)", _Handler.preupload),
        ("POST", f"/api/models/{_NAME}/commit/(.+)", _Handler.commit),
        ("POST", rf"/{_NAME}\.git/info/lfs/objects/batch", _Handler.large_batch),
        ("PUT", "/large/([0-9a-f]{64})", _Handler.put_large),
    )
)


def _git_hash(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


@contextmanager
def silent_port() -> Iterator[str]:
    """The address of a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


def until(is_so: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until something is so; fails the test if it never is."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.005)
