"""Reads requests one after another and answers each. stdin and stdout belong to the protocol: whatever a library prints goes to
stderr. When the other side goes, the process ends at once, in the middle of a computation too."""
import importlib.metadata
import os
import queue
import signal
import sys
import threading
import traceback

PROTOCOL = 1
# What the code was written for: blocks that return a tensor, caches made of layers, `logits` of one row list.
OLDEST = {"torch": (2, 4), "transformers": (4, 56)}


def main():
    """Takes over stdin and stdout, says hello, serves."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides when this ends
    requests = os.fdopen(os.dup(0), "rb", buffering=1 << 20)
    answers = os.fdopen(os.dup(1), "wb", buffering=1 << 20)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Everything is opened from folders that were given; nothing is looked up elsewhere.
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", BITSANDBYTES_NOWELCOME="1")
    try:
        hello = _hello()
    except Exception as error:  # without torch there are no frames: one line of JSON, which the other side understands too
        import json

        answers.write(json.dumps({"antecedent": PROTOCOL, "missing": _one_line(error)}).encode() + b"\n")
        answers.flush()
        return
    from .frames import write_frame

    write_frame(answers, hello)
    _serve(requests, answers)


def _hello():
    """Versions and devices; ImportError with what is missing or too old, and what would be right."""
    versions = {}
    for name in ("torch", "transformers", "peft", "bitsandbytes", "accelerate"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    where = f"{sys.executable} (Python {sys.version.split()[0]})"
    for name, oldest in OLDEST.items():
        needed = ".".join(map(str, oldest))
        if versions[name] is None:
            raise ImportError(f"{where} has no {name}; install it there ({name} {needed} or later), or name another Python")
        if _version(versions[name]) < oldest:
            raise ImportError(f"{where} has {name} {versions[name]}; {needed} or later is needed")
    import torch
    import transformers  # noqa: F401  here, so that a broken installation shows at once

    return {
        "antecedent": PROTOCOL,
        "python": sys.version.split()[0],
        "executable": sys.executable,
        "versions": versions,
        "cuda": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else [],
    }


def _version(text):
    parts = []
    for part in text.split("+")[0].split(".")[:2]:
        digits = "".join(c for c in part if c.isdigit())
        parts.append(int(digits or 0))
    return tuple(parts)


def _serve(requests, answers):
    from .frames import Closed, read_frame, write_frame

    waiting = queue.Queue()

    def read():
        try:
            while True:
                waiting.put(read_frame(requests))
        except Closed:
            os._exit(0)
        except Exception:
            traceback.print_exc()
            os._exit(1)

    threading.Thread(target=read, daemon=True).start()
    from .operations import Operations

    operations = Operations()
    while True:
        header, tensors = waiting.get()
        try:
            answer, results = operations.answer(header, tensors)
            write_frame(answers, {"id": header["id"], "answer": answer}, results)
        except BrokenPipeError:
            os._exit(0)
        except BaseException as error:
            write_frame(answers, {"id": header["id"], "error": _error(error)})
        finally:
            del tensors


def _error(error):
    import torch

    from .errors import InputError

    if isinstance(error, InputError):
        return {"kind": "input", "message": str(error)}
    if isinstance(error, torch.cuda.OutOfMemoryError):
        torch.cuda.empty_cache()
        return {"kind": "memory", "message": _one_line(error).split(". ")[0]}
    trace = "".join(traceback.format_exception(error))
    sys.stderr.write(trace)
    sys.stderr.flush()
    return {"kind": "failed", "message": f"{type(error).__name__}: {_one_line(error)}"}


def _one_line(error):
    return " ".join(str(error).split())[:600] or type(error).__name__
