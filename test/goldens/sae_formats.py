"""Golden latents for SAE formats other than SAELens' own: writes test/goldens/sae-formats/<case>/…, each with expected.safetensors
{x [rows, d], latents [rows, m], decoder [m, d]: what one unit of a latent adds to the activations}.

sparsify and Gemma Scope 2 are computed by the libraries (eai-sparsify 1.3.3, sae-lens 6.54), OpenMOSS' two formats by the formulas
of their own code (Language-Model-SAEs 7bfb3f14 sae.py, Llamascopium 95281ac7 models/sae.py), written out below.
Run from the repository root: python test/goldens/sae_formats.py"""
import json, math, pathlib, warnings

import torch
from safetensors.torch import save_file

warnings.filterwarnings("ignore")
import sae_lens
from sparsify import SparseCoder
from sparsify.config import SparseCoderConfig

D, M, ROWS = 12, 40, 7
OUT = pathlib.Path(__file__).parent / "sae-formats"
HOOK = "blocks.1.hook_resid_post"


def rows() -> torch.Tensor:
    return torch.randn(ROWS, D) * 2 + 0.3


def normal(*shape: int) -> torch.Tensor:
    """Numbers that bf16 holds exactly."""
    return (torch.randn(*shape) * 0.4).bfloat16().float()


def write(folder: pathlib.Path, config: tuple[str, dict] | None, weights: str, tensors: dict, dtype=torch.float32) -> None:
    (folder / weights).parent.mkdir(parents=True, exist_ok=True)
    if config is not None:
        (folder / config[0]).write_text(json.dumps(config[1]))
    save_file({name: tensor.to(dtype).contiguous() for name, tensor in tensors.items()}, folder / weights)


def expect(folder: pathlib.Path, x: torch.Tensor, latents: torch.Tensor, decoder: torch.Tensor) -> None:
    save_file({"x": x, "latents": latents.contiguous(), "decoder": decoder.contiguous()}, folder / "expected.safetensors")


def topk(values: torch.Tensor, k: int, by: torch.Tensor) -> torch.Tensor:
    chosen = by.topk(k, dim=-1).indices
    return torch.zeros_like(values).scatter(-1, chosen, values.gather(-1, chosen))


def llama_scope(name: str, seed: int, weights="checkpoints/final.safetensors", dtype=torch.float32, **changes) -> None:
    torch.manual_seed(seed)
    config = {
        "dtype": "torch.bfloat16", "hook_point_in": HOOK, "hook_point_out": HOOK, "use_decoder_bias": True,
        "apply_decoder_bias_to_pre_encoder": False, "expansion_factor": M / D, "d_model": D, "d_sae": M, "act_fn": "jumprelu",
        "jump_relu_threshold": 0.75, "norm_activation": "dataset-wise",
        "dataset_average_activation_norm": {"in": 6.5, "out": 6.5}, "decoder_exactly_fixed_norm": False,
        "sparsity_include_decoder_norm": True, "use_glu_encoder": False, "top_k": 6, "lp": 1, **changes,
    }
    encoder, encoder_bias, decoder, decoder_bias = normal(M, D), normal(M), normal(D, M), normal(D)
    tensors = {"encoder.weight": encoder, "encoder.bias": encoder_bias, "decoder.weight": decoder}
    if config["use_decoder_bias"]:
        tensors["decoder.bias"] = decoder_bias
    else:
        decoder_bias = torch.zeros(D)
    write(OUT / name, ("hyperparams.json", config), weights, tensors, dtype)
    # from_config
    if config["norm_activation"] == "dataset-wise":
        average = config["dataset_average_activation_norm"]
        s_in, s_out = math.sqrt(D) / average["in"], math.sqrt(D) / average["out"]
        encoder_bias, decoder_bias, decoder = encoder_bias / s_in, decoder_bias / s_out, decoder * s_in / s_out
    if config["sparsity_include_decoder_norm"]:
        norms = decoder.norm(dim=0)
        decoder, encoder, encoder_bias = decoder / norms, encoder * norms[:, None], encoder_bias * norms
    # encode
    given = x = rows()
    if config["norm_activation"] == "token-wise":
        x = x * math.sqrt(D) / x.norm(dim=-1, keepdim=True)
    if config["use_decoder_bias"] and config["apply_decoder_bias_to_pre_encoder"]:
        x = x - decoder_bias
    p = x @ encoder.T + encoder_bias
    if config["act_fn"] == "jumprelu":
        latents = p.where(p > config["jump_relu_threshold"], 0)
    elif config["act_fn"] == "topk":
        latents = topk(p.clamp(min=0), config["top_k"], p.clamp(min=0))
    else:
        latents = p.clamp(min=0)
    expect(OUT / name, given, latents, decoder.T)


def openmoss(name: str, seed: int, old_names=False, dtype=torch.float32, **changes) -> None:
    torch.manual_seed(seed)
    config = {
        "sae_type": "sae", "d_model": D, "expansion_factor": M / D + 1e-9, "hook_point_in": HOOK, "hook_point_out": HOOK,
        "use_decoder_bias": True, "act_fn": "topk", "norm_activation": "dataset-wise", "sparsity_include_decoder_norm": True,
        "top_k": 6, "use_glu_encoder": False, **changes,
    }
    encoder, encoder_bias, decoder, decoder_bias, threshold = normal(D, M), normal(M), normal(M, D), normal(D), normal(M)
    if old_names:
        tensors = {"encoder.weight": encoder.T, "encoder.bias": encoder_bias, "decoder.weight": decoder.T, "decoder.bias": decoder_bias}
    else:
        tensors = {"W_E": encoder, "b_E": encoder_bias, "W_D": decoder, "b_D": decoder_bias}
    if config["act_fn"] == "jumprelu":
        tensors["log_jumprelu_threshold" if old_names else "activation_function.log_jumprelu_threshold"] = threshold
    average = 6.5
    if config["norm_activation"] == "dataset-wise":
        tensors[f"dataset_average_activation_norm.{HOOK}"] = torch.tensor(average)
    write(OUT / name, ("config.json", config), "sae_weights.safetensors", tensors, dtype)
    # On scaled activations, as in training …
    s = math.sqrt(D) / average if config["norm_activation"] == "dataset-wise" else 1
    x = rows()
    p = (x * s) @ encoder + encoder_bias
    norms = decoder.norm(dim=1) if config["sparsity_include_decoder_norm"] else torch.ones(M)
    q = p * norms
    if config["act_fn"] == "jumprelu":
        latents = q * (q > threshold.exp())
    elif config["act_fn"] == "topk":
        latents = topk(q * q.gt(0), config["top_k"], q * q.gt(0))
    else:
        latents = q * q.gt(0)
    # … and back at the scale of the activations.
    expect(OUT / name, x, latents / norms / s, decoder)


def gemma_scope_2(name: str, seed: int, config: dict | None) -> None:
    torch.manual_seed(seed)
    tensors = {"w_enc": normal(D, M), "w_dec": normal(M, D), "b_enc": normal(M), "b_dec": normal(D), "threshold": torch.rand(M)}
    write(OUT / name, config and ("config.json", config), "params.safetensors", tensors)
    sae = sae_lens.JumpReLUSAE(sae_lens.JumpReLUSAEConfig(d_in=D, d_sae=M, device="cpu", apply_b_dec_to_input=False))
    sae.load_state_dict(
        {"W_enc": tensors["w_enc"], "W_dec": tensors["w_dec"]} | {key: tensors[key] for key in ("b_enc", "b_dec", "threshold")}
    )
    x = rows()
    with torch.no_grad():
        expect(OUT / name, x, sae.encode(x), tensors["w_dec"])


def sparsify(name: str, seed: int, drop=(), **options) -> None:
    torch.manual_seed(seed)
    sae = SparseCoder(D, SparseCoderConfig(**options), dtype=torch.float32)
    with torch.no_grad():
        for parameter in sae.parameters():
            parameter.copy_(normal(*parameter.shape))
        sae.save_to_disk(OUT / name)
        config = json.loads((OUT / name / "cfg.json").read_text())
        (OUT / name / "cfg.json").write_text(json.dumps({key: value for key, value in config.items() if key not in drop}))
        sae = SparseCoder.load_from_disk(OUT / name)
        x = rows()
        encoded = sae.encode(x)
        latents = torch.zeros(ROWS, sae.num_latents).scatter(-1, encoded.top_indices, encoded.top_acts)
        expect(OUT / name, x, latents, sae.W_dec)


llama_scope("Llama3_1-8B-Base-L1R-8x", 0, dtype=torch.bfloat16)
llama_scope("llama-scope-two-averages", 1, dataset_average_activation_norm={"in": 6.5, "out": 2.25})
llama_scope("llama-scope-topk-with-threshold", 2, weights="sae_weights.safetensors", act_fn="topk")
llama_scope("llama-scope-topk", 3, weights="checkpoints/pruned.safetensors", act_fn="topk", jump_relu_threshold=0.0)
llama_scope("llama-scope-stored-norms", 4, sparsity_include_decoder_norm=False, apply_decoder_bias_to_pre_encoder=True)
llama_scope("llama-scope-token-wise", 5, act_fn="relu", norm_activation="token-wise",
            dataset_average_activation_norm=None, use_decoder_bias=False)
openmoss("openmoss-topk", 10)
openmoss("openmoss-jumprelu", 11, act_fn="jumprelu", dtype=torch.bfloat16)
openmoss("openmoss-r1-distill", 12, old_names=True, act_fn="jumprelu")
openmoss("openmoss-folded-relu", 13, act_fn="relu", norm_activation="inference")
openmoss("openmoss-plain-topk", 14, sparsity_include_decoder_norm=False)
gemma_scope_2("gemma-scope-2", 20, {
    "architecture": "jump_relu", "model_name": "google/gemma-3-1b-pt", "hf_hook_point_in": "model.layers.1.output",
    "hf_hook_point_out": "model.layers.1.output", "width": M, "affine_connection": False,
})
gemma_scope_2("resid_post/layer_1_width_16k_l0_medium", 21, None)
sparsify("layers.1", 30, num_latents=M, k=6)
sparsify("sparsify-older/layers.1", 31, drop=("activation", "num_latents", "transcode", "skip_connection"), expansion_factor=3, k=6)
sparsify("sparsify-groupmax/layers.1", 32, num_latents=M, k=5, activation="groupmax")
