"""Small files by numpy and torch in every form that src/formats reads, and their values: writes test/goldens/containers.
Needs numpy, torch, safetensors; run from the repository root: python test/goldens/containers.py"""
import json, pathlib, shutil, zipfile

import numpy as np
import torch
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).parent / "containers"
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
rng = np.random.default_rng(0)
torch.manual_seed(0)

# numpy: dtypes, byte orders, orders, and both kinds of zip entry. Values are exact in every dtype used.
base = (rng.integers(-64, 64, (5, 7)) / 8).astype(np.float32)
arrays = {
    "plain": base,
    "fortran": np.asfortranarray(base),
    "big": base.astype(">f4"),
    "double": base.astype(np.float64),
    "half": base.astype(np.float16),
    "bigHalf": base.astype(">f2"),
    "cube": (rng.integers(-64, 64, (3, 4, 5)) / 8).astype(np.float32),
    "fortranCube": np.asfortranarray((rng.integers(-64, 64, (3, 4, 5)) / 8).astype(np.float32)),
    "vector": base[0],
    "scalar": np.float32(1.5),
    "empty": np.zeros((0, 3), np.float32),
}
integers = {"i8": np.int8([-3, 4]), "u2": np.uint16([7, 65535]), "bigI4": np.array([-5, 6], ">i4"), "i8wide": np.int64([2**40, -1])}
np.savez(OUT / "stored.npz", **arrays, **integers)
np.savez_compressed(OUT / "deflated.npz", **arrays, **integers)
np.savez(OUT / "objects.npz", x=np.array([{}], dtype=object))
np.savez(OUT / "complex.npz", x=np.zeros(2, np.complex64))
save_file({k: torch.tensor(np.array(v, np.float32, order="C")) for k, v in arrays.items()}, OUT / "numpy.safetensors")
for version in [(2, 0), (3, 0)]:
    with zipfile.ZipFile(OUT / f"version{version[0]}.npz", "w") as archive, archive.open("x.npy", "w") as entry:
        np.lib.format.write_array(entry, base, version=version)

# torch: views of one storage, tied tensors, dtypes, parameters; as zip, legacy, big-endian and with protocol 4.
whole = torch.arange(60, dtype=torch.float32).reshape(5, 12) / 8
tied = torch.randint(-64, 64, (4, 3)).float() / 8
state = {
    "whole": whole,
    "transposed": whole.T,
    "columns": whole[:, 2:9:3],
    "tail": whole[3:],
    "cube": whole.reshape(5, 3, 4).permute(2, 0, 1),
    "expanded": whole[1, :4].expand(3, 4),
    "tied.a": tied,
    "tied.b": tied,
    "parameter": torch.nn.Parameter(tied * 2),
    "bf16": tied.bfloat16(),
    "f16": tied.half().T,
    "f64": tied.double(),
    "scalar": torch.tensor(-2.5),
    "empty": torch.zeros(0, 4),
}
integers = {"k": torch.tensor(7, dtype=torch.int32), "groups": torch.tensor([2**40, -3]), "bytes": torch.arange(5, dtype=torch.uint8), "every": torch.arange(6, dtype=torch.int32)[::2]}
save_file({k: v.detach().float().contiguous().clone() for k, v in state.items()}, OUT / "torch.safetensors")
full = {**state, **integers, "note": "a text", "step": 12, "rates": [1e-3, (2, None)]}
torch.save(full, OUT / "views.pt")
torch.save(full, OUT / "legacy.pt", _use_new_zipfile_serialization=False)
torch.save(full, OUT / "protocol4.pt", pickle_protocol=4)
torch.save(full, OUT / "legacy-protocol4.pt", pickle_protocol=4, _use_new_zipfile_serialization=False)


class Module(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)


torch.save(torch.compile(Module()).state_dict(), OUT / "compiled.pt")
torch.save(Module(), OUT / "module.pt")
torch.jit.script(torch.nn.Linear(3, 2)).save(OUT / "script.pt")
torch.save({"x": torch.ones(2, 2).to(torch.float8_e4m3fn), "unsigned": torch.ones(2).to(torch.uint32)}, OUT / "newer.pt")

# Zip archives that other programs wrote again: deflated, and with the bytes of a big-endian machine.
with zipfile.ZipFile(OUT / "views.pt") as source:
    with zipfile.ZipFile(OUT / "deflated.pt", "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
big = {"x": whole, "x.T": whole.T, "h": tied.half(), "k": torch.tensor(7, dtype=torch.int32)}
torch.save(big, OUT / "big.pt")
with zipfile.ZipFile(OUT / "big.pt") as source:
    files = {name: source.read(name) for name in source.namelist()}
widths = {0: 4, 1: 2, 2: 4}
with zipfile.ZipFile(OUT / "big.pt", "w") as target:
    for name, data in files.items():
        if name.endswith("/byteorder"):
            data = b"big"
        elif "/data/" in name:
            width = widths[int(name.rsplit("/", 1)[1])]
            data = b"".join(data[i : i + width][::-1] for i in range(0, len(data), width))
        target.writestr(name, data)
assert all(torch.equal(value, big[name]) for name, value in torch.load(OUT / "big.pt").items())

# The checkpoint of test/goldens/checkpoint as transformers before version 5 wrote it: two shards, one of the legacy kind, and an index; its adapter.
from safetensors.torch import load_file

CHECKPOINT = pathlib.Path(__file__).parent / "checkpoint"
(OUT / "checkpoint").mkdir()
weights = load_file(CHECKPOINT / "model/model.safetensors")
names = sorted(weights)
shards = {"pytorch_model-00001-of-00002.bin": names[: len(names) // 2], "pytorch_model-00002-of-00002.bin": names[len(names) // 2 :]}
for file, held in shards.items():
    torch.save({name: weights[name] for name in held}, OUT / "checkpoint" / file, _use_new_zipfile_serialization=file.startswith("pytorch_model-00001"))
index = {"metadata": {"total_size": sum(w.nbytes for w in weights.values())}, "weight_map": {name: file for file, held in shards.items() for name in held}}
(OUT / "checkpoint/pytorch_model.bin.index.json").write_text(json.dumps(index))
torch.save(load_file(CHECKPOINT / "adapter/adapter_model.safetensors"), OUT / "checkpoint/adapter_model.bin")
