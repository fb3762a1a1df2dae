"""Writes gguf/: small GGUF files and what the `gguf` package and transformers make of them.
usage: gguf_goldens.py   (needs torch, transformers, gguf, sentencepiece)"""
import json, os, random, shutil, warnings
warnings.filterwarnings("ignore"); os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import gguf, numpy as np, torch
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from gguf_files import T, TEXTS, bpe, random_model, save, sizes, spm

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gguf")
WRITTEN = ["BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]  # the package can quantise to these
READ = {"Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0]}  # and read these; where their f16 scales lie


def blocks(kind, count, rng):
    """Random blocks with finite scales."""
    size = gguf.GGML_QUANT_SIZES[T[kind]][1]
    data = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for at in READ[kind]:
        data[:, at : at + 2] = (rng.standard_normal((count, 1)) * 0.01).astype(np.float16).view(np.uint8)
    return data


def types():
    rng = np.random.default_rng(0)
    w = gguf.GGUFWriter(f"{OUT}/types.gguf", "llama")
    expected = {}
    for kind in ["F32", "F16"] + WRITTEN:
        x = (rng.standard_normal((2, 96)) * 10.0 ** rng.integers(-3, 3, (2, 1))).astype(np.float32)
        stored = x if kind == "F32" else x.astype(np.float16) if kind == "F16" else quantize(x, T[kind])
        w.add_tensor(kind, stored, raw_dtype=None if kind in ("F32", "F16") else T[kind])
        expected[kind] = stored.astype(np.float32) if kind in ("F32", "F16") else dequantize(stored, T[kind])
    for kind in READ:
        size = gguf.GGML_QUANT_SIZES[T[kind]][0]
        data = blocks(kind, 4, rng).reshape(2, -1)
        w.add_tensor(kind, data, raw_dtype=T[kind])
        expected[kind] = dequantize(data, T[kind])
        assert expected[kind].shape == (2, 2 * size) and np.isfinite(expected[kind]).all()
    w.write_header_to_file(), w.write_kv_data_to_file(), w.write_tensors_to_file(), w.close()
    save_file({k: np.ascontiguousarray(v, dtype=np.float32) for k, v in expected.items()}, f"{OUT}/types.safetensors")


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    types()
