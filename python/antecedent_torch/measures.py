"""The two objectives over a prepared batch, and their gradients: the action's cross-entropy, and a later layer's change
(src/engine/engine.ts says what each is). Losses and gradients are sums in f32, or f64 where they are added up."""
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


class CrossEntropy:
    def __init__(self, prepared, targets):
        self.prepared, self.targets = prepared, targets.long()
        self.lengths = torch.bincount(prepared.owners, minlength=len(prepared.ids))

    def evaluate(self, theta, sequences):
        """theta [N, D] -> losses [N] f64, this batch's share of the mean over `sequences`, and gradients [N, D]."""
        count = len(theta)
        leaf = theta.to(self.prepared.stream.device).requires_grad_()
        losses = self._losses(self.prepared.steered(leaf), count).sum(0) / sequences  # [N]
        (gradient,) = torch.autograd.grad(losses.sum(), leaf)
        return losses.detach(), gradient

    def attribute(self):
        """Losses [B] f64 at 0 and, per sequence, the mean over its masked tokens of the gradient of its own loss, [B, D]."""
        prepared = self.prepared
        weights = prepared.mask / prepared.mask.sum(1, keepdim=True)
        leaf = torch.zeros(len(prepared.ids), prepared.stream.shape[-1], device=prepared.stream.device, requires_grad=True)
        change = weights.to(leaf.device)[..., None] * leaf[:, None, :]
        losses = self._losses((prepared.stream.float() + change).to(prepared.stream.dtype), 1)[:, 0]
        (gradient,) = torch.autograd.grad(losses.sum(), leaf)
        return losses.detach(), gradient

    def _losses(self, stream, count):
        """Mean of -log p over each sequence's action, [B, N] f64."""
        logits = self.prepared.read_logits(stream, count)
        targets = self.targets.repeat_interleave(count).to(logits.device)
        chosen = logits.log_softmax(-1).gather(1, targets[:, None])[:, 0].double().reshape(-1, count)  # [R, N]
        owners = self.prepared.owners.to(logits.device)
        sums = torch.zeros(len(self.prepared.ids), count, dtype=torch.float64, device=logits.device).index_add(0, owners, chosen)
        return -sums / self.lengths.to(logits.device)[:, None]


class LayerChange:
    def __init__(self, prepared, target, p, q, norm):
        self.prepared, self.target, self.p, self.q, self.norm = prepared, target, p, q, norm
        with torch.no_grad():
            self.unsteered = prepared.read_stream(prepared.stream, 1, target)  # [R, D]

    def evaluate(self, theta):
        """theta [N, D] -> losses [N] f64 and gradients [N, D]."""
        count = len(theta)
        leaf = theta.to(self.prepared.stream.device).requires_grad_()
        change = self._change(leaf).reshape(len(self.unsteered), count, -1)  # [R, N, D]
        owners = self.prepared.owners.to(change.device)

        def over_tokens(values):  # [R, ...] -> [B, ...]
            shape = (len(self.prepared.ids), *values.shape[1:])
            return torch.zeros(shape, dtype=values.dtype, device=values.device).index_add(0, owners, values)

        squares = change.double().square()
        if self.norm == "token":
            sums = over_tokens(_power(squares.sum(-1), self.p / 2))  # [B, N]
        else:
            sums = _power(over_tokens(squares), self.p / 2).sum(-1)
        losses = -_power(sums, 1 / self.q).sum(0)
        (gradient,) = torch.autograd.grad(losses.sum(), leaf)
        return losses.detach(), gradient

    def change(self, theta):
        with torch.no_grad():
            return self._change(theta)

    def jacobian_product(self, v):
        """J v at 0, exact: g(u) = J^T u is linear in u, and the gradient of <g(u), v> with respect to u is J v."""
        leaf = torch.zeros_like(v, device=self.prepared.stream.device)[None].requires_grad_()
        # The fused attention kernels cannot be differentiated twice.
        with sdpa_kernel(SDPBackend.MATH):
            stream = self._read(leaf)
            u = torch.zeros_like(stream, requires_grad=True)
            (transposed,) = torch.autograd.grad(stream, leaf, u, create_graph=True)
            (product,) = torch.autograd.grad((transposed * v.to(leaf.device)).sum(), u)
        return product

    def _read(self, vectors):
        return self.prepared.read_stream(self.prepared.steered(vectors), len(vectors), self.target)

    def _change(self, vectors):
        return self._read(vectors) - self.unsteered.repeat_interleave(len(vectors), 0)


def _power(x, exponent):
    """x ** exponent for x >= 0, with a gradient of zero where x is zero."""
    if exponent == 1:
        return x
    positive = x > 0
    return torch.where(positive, torch.where(positive, x, 1).pow(exponent), 0)
