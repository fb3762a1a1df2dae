"""SAEs in npz and torch files, with their latents by the libraries that such files are from: writes test/goldens/sae-containers. The
residuals are those of test/goldens/checkpoint after block 1 on PROMPT, without template.
Needs torch, transformers, sae-lens, safetensors, and dictionary_learning 0.1 (pip install --no-deps dictionary_learning, einops);
run from the repository root: python test/goldens/sae-containers.py"""
import json, pathlib, shutil, sys, types

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from sae_lens import SAE
from sae_lens.loading import pretrained_sae_loaders as lens

# dictionary_learning imports nnsight for its activation buffer alone, which is not used here.
sys.modules.setdefault("nnsight", types.SimpleNamespace(LanguageModel=object))
from dictionary_learning.dictionary import AutoEncoder, AutoEncoderNew, GatedAutoEncoder, JumpReluAutoEncoder
from dictionary_learning.trainers.batch_top_k import BatchTopKSAE
from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKSAE
from dictionary_learning.trainers.top_k import AutoEncoderTopK

HERE = pathlib.Path(__file__).parent
OUT = HERE / "sae-containers"
PROMPT, LAYER, M, K = "How do I keep basil fresh?", 1, 24, 3
shutil.rmtree(OUT, ignore_errors=True)

torch.set_grad_enabled(False)
tokenizer = AutoTokenizer.from_pretrained(HERE / "checkpoint/model")
model = AutoModelForCausalLM.from_pretrained(HERE / "checkpoint/model", dtype=torch.float32)
ids = tokenizer(PROMPT, add_special_tokens=False, return_tensors="pt").input_ids
x = model(ids, output_hidden_states=True).hidden_states[LAYER + 1][0]
D = x.shape[1]
OUT.mkdir()
save_file({"x": x.contiguous()}, OUT / "x.safetensors")


def expect(folder: pathlib.Path, latents: torch.Tensor) -> None:
    assert 0 < latents.count_nonzero() < latents.numel(), folder
    save_file({"latents": latents.contiguous()}, folder / "expected.safetensors")


def by_sae_lens(config: dict, state: dict) -> torch.Tensor:
    sae = SAE.from_dict(lens.handle_config_defaulting(config))
    sae.load_state_dict(state)
    return sae.encode(x)


# Gemma Scope: SAELens' own loader, on our file and at our size.
folder = OUT / "gemma-scope-2b-pt-res/layer_1/width_16k/average_l0_6"
folder.mkdir(parents=True)
rng = np.random.default_rng(3)
f32 = lambda *shape: rng.normal(0, 0.4, shape).astype(np.float32)
params = {"W_enc": f32(D, M), "W_dec": f32(M, D), "b_enc": f32(M), "b_dec": f32(D), "threshold": np.abs(f32(M)) * 3}
np.savez(folder / "params.npz", **params)
lens.hf_hub_download = lambda **_: folder / "params.npz"
config, state, _ = lens.gemma_2_sae_huggingface_loader("google/gemma-scope-2b-pt-res", "layer_1/width_16k/average_l0_6", cfg_overrides={"d_in": D, "d_sae": M})
expect(folder, by_sae_lens(config, state))
# The same, as other versions of the files are: compressed, column-major, lower-case names, ones as scaling factor.
other = OUT / "gemma-scope-compressed"
other.mkdir()
renamed = {k.replace("W_", "w_"): np.asfortranarray(v) for k, v in params.items()}
np.savez_compressed(other / "params.npz", **renamed, scaling_factor=np.ones(M, np.float32))
shutil.copy(folder / "expected.safetensors", other)

# Goodfire: SAELens' loader.
folder = OUT / "goodfire"
folder.mkdir()
torch.manual_seed(4)
linear = lambda *shape: torch.randn(*shape) * 0.4
state = {"encoder_linear.weight": linear(M, D), "encoder_linear.bias": linear(M), "decoder_linear.weight": linear(D, M), "decoder_linear.bias": linear(D)}
torch.save(state, folder / "Tiny-Instruct-SAE-l1.pth")
lens.hf_hub_download = lambda **_: folder / "Tiny-Instruct-SAE-l1.pth"
config, state, _ = lens.get_goodfire_huggingface_loader("Goodfire/Llama-3.1-8B-Instruct-SAE-l19", "Llama-3.1-8B-Instruct-SAE-l19.pth", cfg_overrides={"d_in": D, "d_sae": M})
expect(folder, by_sae_lens({**config, "hook_name": "blocks.1.hook_resid_post", "normalize_activations": "none", "activation_fn": "relu"}, state))

# dictionary_learning: its own classes, loaded as it loads them.
CLASSES = {
    "AutoEncoder": lambda: AutoEncoder(D, M),
    "AutoEncoderNew": lambda: AutoEncoderNew(D, M),
    "GatedAutoEncoder": lambda: GatedAutoEncoder(D, M),
    "JumpReluAutoEncoder": lambda: JumpReluAutoEncoder(D, M),
    "AutoEncoderTopK": lambda: AutoEncoderTopK(D, M, K),
    "BatchTopKSAE": lambda: BatchTopKSAE(D, M, K),
    "MatryoshkaBatchTopKSAE": lambda: MatryoshkaBatchTopKSAE(D, M, K, [4, 8, 12]),
}


def write(name: str, dict_class: str, sae, **kwargs) -> None:
    folder = OUT / name
    folder.mkdir()
    torch.save(sae.state_dict(), folder / "ae.pt", **kwargs)
    trainer = {"trainer_class": "Trainer", "dict_class": dict_class, "activation_dim": D, "dict_size": M, "layer": LAYER, "lm_name": "tiny", "submodule_name": f"resid_post_layer_{LAYER}"}
    if hasattr(sae, "k"):
        trainer["k"] = sae.k.item()
    (folder / "config.json").write_text(json.dumps({"trainer": trainer, "buffer": {"d_submodule": D, "io": "out", "ctx_len": 128}}))


for index, (dict_class, make) in enumerate(CLASSES.items()):
    torch.manual_seed(10 + index)
    sae = make()
    for name, parameter in sae.named_parameters():
        parameter.copy_(torch.rand_like(parameter) if name == "threshold" else torch.randn_like(parameter) * 0.4)
    if dict_class == "AutoEncoder":  # so that the loader's normalize_decoder changes nothing
        sae.decoder.weight /= sae.decoder.weight.norm(dim=0)
    if "BatchTopK" in dict_class:
        sae.threshold.fill_(0.7)
    if dict_class == "AutoEncoderTopK":
        sae.threshold.fill_(5.0)  # not what encode uses
    write(dict_class, dict_class, sae)
    loaded = type(sae).from_pretrained(OUT / dict_class / "ae.pt")
    expect(OUT / dict_class, loaded.encode(x))

# A decoder that is not of norm 1, in the units that it is stored in; a threshold that was never set; a legacy, compiled, bf16 file.
torch.manual_seed(30)
sae = AutoEncoder(D, M)
for parameter in sae.parameters():
    parameter.copy_(torch.randn_like(parameter) * 0.4)
write("AutoEncoder-as-stored", "AutoEncoder", sae)
expect(OUT / "AutoEncoder-as-stored", AutoEncoder.from_pretrained(OUT / "AutoEncoder-as-stored/ae.pt", normalize_decoder=False).encode(x))
sae = BatchTopKSAE(D, M, K)
write("BatchTopKSAE-unset", "BatchTopKSAE", sae)
expect(OUT / "BatchTopKSAE-unset", BatchTopKSAE.from_pretrained(OUT / "BatchTopKSAE-unset/ae.pt").encode(x))
sae = AutoEncoderNew(D, M).bfloat16()
for parameter in sae.parameters():
    parameter.copy_(torch.randn_like(parameter) * 0.4)
write("AutoEncoderNew-legacy", "AutoEncoderNew", torch.compile(sae), _use_new_zipfile_serialization=False)
expect(OUT / "AutoEncoderNew-legacy", sae.float().encode(x))
