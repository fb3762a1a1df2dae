"""Golden latents and reconstructions by SAELens for every architecture and normalisation: writes test/goldens/sae/<case>/{cfg.json,
sae_weights.safetensors,expected.safetensors}. Needs sae-lens 6.54; run from the repository root: python test/goldens/sae.py"""
import json, pathlib, warnings

import torch
from safetensors.torch import load_file, save_file

warnings.filterwarnings("ignore")
import sae_lens
from sae_lens import SAE

D, M, ROWS = 12, 40, 7
OUT = pathlib.Path(__file__).parent / "sae"
KINDS = {
    "standard": (sae_lens.StandardSAE, sae_lens.StandardSAEConfig),
    "jumprelu": (sae_lens.JumpReLUSAE, sae_lens.JumpReLUSAEConfig),
    "topk": (sae_lens.TopKSAE, sae_lens.TopKSAEConfig),
    "gated": (sae_lens.GatedSAE, sae_lens.GatedSAEConfig),
}
CASES = {
    "standard": ("standard", {}),
    "standard-no-bias": ("standard", {"apply_b_dec_to_input": False}),
    "jumprelu": ("jumprelu", {}),
    "jumprelu-layer-norm": ("jumprelu", {"normalize_activations": "layer_norm"}),
    "jumprelu-constant-norm": ("jumprelu", {"normalize_activations": "constant_norm_rescale"}),
    "standard-average": ("standard", {"normalize_activations": "expected_average_only_in"}),
    "topk": ("topk", {"k": 5}),
    "topk-rescale": ("topk", {"k": 5, "rescale_acts_by_decoder_norm": True}),
    "gated": ("gated", {}),
    "gated-layer-norm": ("gated", {"normalize_activations": "layer_norm", "apply_b_dec_to_input": False}),
    "standard-constant-norm": ("standard", {"normalize_activations": "constant_norm_rescale"}),
}
# Trained kinds that SAELens saves for use as jumprelu.
TRAINED = {
    "saved-batchtopk": (sae_lens.BatchTopKTrainingSAE, sae_lens.BatchTopKTrainingSAEConfig, {}),
    "saved-matryoshka": (
        sae_lens.MatryoshkaBatchTopKTrainingSAE,
        sae_lens.MatryoshkaBatchTopKTrainingSAEConfig,
        {"matryoshka_widths": [8, 20, M], "rescale_acts_by_decoder_norm": True},
    ),
}


def expected(folder: pathlib.Path, x: torch.Tensor) -> None:
    sae = SAE.load_from_disk(folder)
    with torch.no_grad():
        save_file({"x": x, "latents": sae.encode(x).contiguous(), "reconstruction": sae(x).contiguous()}, folder / "expected.safetensors")


for index, (name, (kind, options)) in enumerate(CASES.items()):
    torch.manual_seed(index)
    sae_class, config_class = KINDS[kind]
    config = config_class(d_in=D, d_sae=M, dtype="float32", device="cpu", **options)
    config.metadata.hook_name, config.metadata.model_name = "blocks.2.hook_resid_post", "tiny"
    sae = sae_class(config)
    with torch.no_grad():
        for parameter in sae.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4)
        if kind == "jumprelu":
            sae.threshold.copy_(torch.rand(M))
    sae.save_model(OUT / name)
    expected(OUT / name, torch.randn(ROWS, D) * 2 + 0.3)

for index, (name, (sae_class, config_class, options)) in enumerate(TRAINED.items()):
    torch.manual_seed(100 + index)
    config = config_class(d_in=D, d_sae=M, dtype="float32", device="cpu", k=5, **options)
    config.metadata.hook_name, config.metadata.model_name = "blocks.2.hook_resid_post", "tiny"
    sae = sae_class(config)
    with torch.no_grad():
        for parameter in sae.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4)
        sae.topk_threshold.fill_(0.7)
    sae.save_inference_model(OUT / name)
    expected(OUT / name, torch.randn(ROWS, D) * 2 + 0.3)

# The flat configuration before version 6, once plain and once with a topk activation.
for name, source, extra in [
    ("old-standard", "standard", {"activation_fn_str": "relu", "scaling_factor": True}),
    ("old-topk", "topk", {"activation_fn_str": "topk", "activation_fn_kwargs": {"k": 5}}),
    ("old-jumprelu", "jumprelu", {"architecture": "jumprelu", "activation_fn": "relu", "sae_lens_training_version": "5.3.0"}),
    ("old-gated", "gated", {"architecture": "gated", "apply_b_dec_to_input": False, "normalize_activations": "layer_norm"}),
]:
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    weights = load_file(OUT / source / "sae_weights.safetensors")
    if extra.pop("scaling_factor", False):
        weights["scaling_factor"] = torch.ones(M)
    save_file(weights, folder / "sae_weights.safetensors")
    config = {"d_in": D, "d_sae": M, "dtype": "torch.float32", "device": "cpu", "hook_point": "blocks.3.hook_resid_pre",
              "hook_point_layer": 3, "model_name": "tiny", "normalize_activations": False, **extra}
    (folder / "cfg.json").write_text(json.dumps(config))
    expected(folder, load_file(OUT / source / "expected.safetensors")["x"])
