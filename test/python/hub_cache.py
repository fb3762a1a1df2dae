"""huggingface_hub and `antecedent fetch` fill two caches from one hub on this machine: the caches are the same, and each opens
what the other has downloaded without the hub. Prints one line a check; exit status 0 when all hold.
usage: python test/python/hub_cache.py (huggingface_hub)"""
import hashlib, http.server, json, os, subprocess, sys, tempfile, threading, urllib.parse

root = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
FILES = {
    "config.json": b'{"model_type": "llama"}', "tokenizer.json": b"{}", "tokenizer_config.json": b"{}", "README.md": b"# Hi",
    "model.safetensors": bytes(range(256)) * 4000, "empty.txt": b"", "sub/folder/cfg.json": b"{}",
    "sub/folder/sae_weights.safetensors": b"\x07" * 70_000, "a name with spaces & ü.txt": b"odd",
}
LARGE = {name for name in FILES if name.endswith(".safetensors")}
git = lambda data: hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
sha256 = lambda data: hashlib.sha256(data).hexdigest()

def handler(storage):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *_): pass
        def answer(self, status, body=b"", **headers):
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items(): self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command == "GET": self.wfile.write(body)
        def do_HEAD(self): self.do_GET()
        def do_GET(self):
            path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
            if path.startswith("/api/models/org/name/revision/"):
                return self.answer(200, json.dumps({"id": "org/name", "sha": COMMIT, "siblings": []}).encode(), Content_Type="application/json")
            if path.startswith(f"/api/models/org/name/tree/{COMMIT}"):
                tree = [{"type": "file", "path": p, "size": len(d), "oid": git(b"pointer" + d) if p in LARGE else git(d),
                         **({"lfs": {"oid": sha256(d), "size": len(d), "pointerSize": 130}} if p in LARGE else {})} for p, d in FILES.items()]
                tree.append({"type": "directory", "path": "sub", "oid": "0" * 40, "size": 0})
                return self.answer(200, json.dumps(tree).encode(), Content_Type="application/json")
            name = path.removeprefix(f"/org/name/resolve/{COMMIT}/")
            if name not in FILES: return self.answer(404, X_Error_Code="EntryNotFound")
            data = FILES[name]
            if name in LARGE and storage:
                return self.answer(302, Location=storage + self.path, ETag=f'"{git(data)}"', X_Linked_Etag=f'"{sha256(data)}"',
                                   X_Linked_Size=str(len(data)), X_Repo_Commit=COMMIT)
            self.answer(200, data, ETag=f'"{git(data)}"', X_Repo_Commit=COMMIT)
    return Handler

def serve(storage=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(storage))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"

endpoint = serve(serve())
failed = 0
def check(name, ok, detail=""):
    global failed; failed += not ok
    print("ok  " if ok else "FAIL", name, detail, flush=True)

def environment(cache, **more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    return {**kept, "HF_HOME": cache, "HF_HUB_CACHE": cache, "HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_TELEMETRY": "1", **more}

def theirs(cache, revision, patterns, **more):
    code = "import json, sys; from huggingface_hub import snapshot_download; r, p = json.loads(sys.argv[1]); print(snapshot_download('org/name', revision=r, allow_patterns=p))"
    r = subprocess.run([sys.executable, "-c", code, json.dumps([revision, patterns])], capture_output=True, text=True, env=environment(cache, **more))
    assert r.returncode == 0, r.stderr[-500:]
    return r.stdout.strip()

def ours(cache, revision, patterns, **more):
    r = subprocess.run(["node", f"{root}/bin/antecedent.js", "fetch", f"org/name@{revision}", "--files", *patterns, "--json"],
                       capture_output=True, text=True, env=environment(cache, **more))
    assert r.returncode == 0, r.stderr[-500:]
    return json.loads(r.stdout)["path"]

def contents(cache):
    """Every path below the cache with its bytes, or where it points; JSON by its value. Locks are each program's own."""
    found = {}
    for folder, _, names in os.walk(cache):
        for name in names:
            path = os.path.join(folder, name); key = os.path.relpath(path, cache)
            if key.startswith(".locks") or not key.startswith("models--"): continue
            found[key] = ("->", os.readlink(path)) if os.path.islink(path) else ("tree", json.load(open(path))) if "/trees/" in key else open(path, "rb").read()
    return found

for revision, patterns in [("main", ["*"]), ("v1", ["*.json", "sub/"]), ("refs/pr/3", ["*.safetensors"]), (COMMIT, ["config.json"])]:
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        path_a, path_b = theirs(a, revision, patterns), ours(b, revision, patterns)
        left, right = contents(a), contents(b)
        wrong = [k for k in left.keys() | right.keys() if left.get(k) != right.get(k)]
        check(f"the caches of {revision} {patterns}", not wrong and len(left) >= 3, f"{len(left)} entries" if not wrong else str(wrong[:4]))
        check("  the folder returned", os.path.relpath(path_a, a) == os.path.relpath(path_b, b))
        offline = {"HF_HUB_OFFLINE": "1"}
        check("  they open ours without the hub", theirs(b, revision, patterns, **offline) == path_b)
        check("  we open theirs without the hub", ours(a, revision, patterns, **offline) == path_a)
with tempfile.TemporaryDirectory() as a:  # one cache, filled by turns
    theirs(a, "main", ["*.json"]); ours(a, "main", ["*"]); before = contents(a); theirs(a, "main", ["*"])
    check("a cache that both fill", contents(a) == before and len([k for k in before if "/snapshots/" in k]) == len(FILES))
with tempfile.TemporaryDirectory() as a:
    both = [subprocess.Popen(["node", f"{root}/bin/antecedent.js", "fetch", "org/name", "--files", "*"], env=environment(a), stdout=subprocess.DEVNULL)]
    theirs(a, "main", ["*"]); check("a cache that both fill at once", both[0].wait() == 0)
    blobs = {k: v for k, v in contents(a).items() if "/blobs/" in k}
    check("  its blobs are whole", all(os.path.basename(k) in (git(v), sha256(v)) for k, v in blobs.items()) and len(blobs) == len({git(d) for d in FILES.values()}), f"{len(blobs)} blobs")
sys.exit(failed > 0)
