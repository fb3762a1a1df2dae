"""Training: weights of the model, or low-rank pairs beside its linear layers, by AdamW as src/engine/onnx/adamw.ts writes it."""
import torch
import torch.nn.functional as F

from .batch import Batch


class Training:
    def __init__(self, decoder, names, pairs, tensors):
        """`names`: the model's own weights to train; `pairs`: [{module, scale}] with "<module>.lora_A" and "_B" in `tensors`, which
        holds moments ("<name>.m", "<name>.v") of a training that goes on too, and values to start from."""
        self.decoder = decoder
        self.values, self.moments, self.hooks, self.originals = {}, {}, [], {}
        for name in names:
            parameter = decoder.model.get_parameter(name)
            self.originals[name] = parameter.detach().clone()
            if name in tensors:
                parameter.data.copy_(tensors[name].reshape(parameter.shape))
            self.values[name] = parameter.requires_grad_()
        for pair in pairs:
            self._attach(pair["module"], pair["scale"], tensors)
        for name in self.values:
            for moment in (f"{name}.m", f"{name}.v"):
                if moment in tensors:
                    self.moments[moment] = tensors[moment].reshape(self.values[name].shape).to(self.values[name].device)

    def _attach(self, module_name, scale, tensors):
        module = self.decoder.model.get_submodule(module_name)
        device = next(module.parameters()).device
        half = {}
        for side in ("A", "B"):
            name = f"{module_name}.lora_{side}"
            half[side] = self.values[name] = tensors[name].to(device).requires_grad_()

        def change(_module, inputs, output):
            low = F.linear(inputs[0].float(), half["A"])
            return (output.float() + scale * F.linear(low, half["B"])).to(output.dtype)

        self.hooks.append(module.register_forward_hook(change))

    def step(self, batch, settings, updates):
        """One step of AdamW; the loss before it and the joint norm of the gradients before clipping."""
        loss, gradients = self._differentiate(batch)
        # The norm is one number over weights that may lie on several devices.
        norm = sum(float(g.double().square().sum()) for g in gradients.values()) ** 0.5
        clip = settings["maxNorm"] / norm if norm > settings["maxNorm"] else 1.0
        beta1, beta2 = settings["beta1"], settings["beta2"]
        correction1, correction2 = 1 / (1 - beta1 ** settings["step"]), 1 / (1 - beta2 ** settings["step"])
        with torch.no_grad():
            for name, update in updates.items():
                w, g = self.values[name], gradients[name] * clip
                m = self._moment(f"{name}.m", w).mul_(beta1).add_(g, alpha=1 - beta1)
                v = self._moment(f"{name}.v", w).mul_(beta2).addcmul_(g, g, value=1 - beta2)
                rate = settings["learningRate"] * update["rate"]
                if update["decay"]:
                    w.mul_(1 - rate * settings["weightDecay"])
                w.addcdiv_(m * correction1, (v * correction2).sqrt_().add_(settings["epsilon"]), value=-rate)
        return loss, norm

    def loss(self, batch):
        with torch.no_grad():
            return float(self._loss(batch))

    def gradient_norms(self, batch):
        loss, gradients = self._differentiate(batch)
        return loss, {name: float(g.double().norm()) for name, g in gradients.items()}

    def close(self):
        """The model is again what it was."""
        for hook in self.hooks:
            hook.remove()
        for name, original in self.originals.items():
            parameter = self.decoder.model.get_parameter(name)
            parameter.requires_grad_(False)
            parameter.data.copy_(original)

    def _moment(self, name, like):
        if name not in self.moments:
            self.moments[name] = torch.zeros_like(like, requires_grad=False)
        return self.moments[name]

    def _differentiate(self, batch):
        loss = self._loss(batch)
        parts = torch.autograd.grad(loss, list(self.values.values()))
        return float(loss.detach()), dict(zip(self.values, parts))

    def _loss(self, given):
        """Sum over rows of weight x -log p of the row's target."""
        self.decoder.use_adapter(False)
        batch = Batch(given["ids"], given["lengths"])
        logits, _ = self.decoder.logits(batch.rows(given["rows"]), batch.ids, batch.attention, batch.positions)
        targets = given["targets"].long().to(logits.device)
        chosen = logits.log_softmax(-1).gather(1, targets[:, None])[:, 0]
        return -(chosen * given["weights"].to(logits.device)).sum()
