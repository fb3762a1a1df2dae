"""Gradients of JumpReLU training by PyTorch with SAELens' straight-through estimators: writes test/goldens/jump-relu.json.
Needs sae-lens 6.54; run from the repository root: python test/goldens/jump_relu.py"""
import json, pathlib, warnings

import torch

warnings.filterwarnings("ignore")
from sae_lens.saes.jumprelu_sae import JumpReLU, Step

D, M, ROWS, K, WEIGHT, BANDWIDTH = 5, 8, 6, 2, 1.5, 0.8
torch.manual_seed(7)
rows = torch.randn(ROWS, D)
encoder, encoder_bias, decoder, decoder_bias = torch.randn(M, D), torch.randn(M) * 0.3, torch.randn(M, D), torch.randn(D) * 0.3
decoder = decoder / decoder.norm(dim=1, keepdim=True)
log_threshold = torch.log(torch.rand(M) + 0.45)
names = {"encoder": encoder, "encoderBias": encoder_bias, "decoder": decoder, "decoderBias": decoder_bias, "logThreshold": log_threshold}
for parameter in names.values():
    parameter.requires_grad_()
threshold = log_threshold.exp()
p = torch.relu((rows - decoder_bias) @ encoder.T + encoder_bias)
f = JumpReLU.apply(p, threshold, BANDWIDTH, False)
error = ((f @ decoder + decoder_bias - rows) ** 2).sum(1).mean()
l0 = Step.apply(p, threshold, BANDWIDTH, False).sum(1).mean()
loss = error + WEIGHT * D * (l0 / K - 1) ** 2
loss.backward()
out = {
    "rows": rows, **{name: parameter.detach() for name, parameter in names.items()},
    "preactivations": p.detach(), "latents": f.detach(),
    "gradients": {name: parameter.grad for name, parameter in names.items()},
}  # fmt: skip
flat = lambda value: {k: flat(v) for k, v in value.items()} if isinstance(value, dict) else value.flatten().tolist()
golden = {"d": D, "k": K, "weight": WEIGHT, "bandwidth": BANDWIDTH, **flat(out)}
pathlib.Path(__file__).with_name("jump-relu.json").write_text(json.dumps(golden) + "\n")
print("l0", l0.item(), "near", (((p - threshold).abs() < BANDWIDTH / 2) & (p > 0)).sum().item())
