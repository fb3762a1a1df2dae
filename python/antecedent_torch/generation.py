"""Replies with a cache: one pass over the prompts, then a token a step. Draws are decided by uniform numbers that come with the
request, as src/engine/sampling.ts decides them, so that seeds mean the same on every engine."""
import torch

from .batch import Batch


class Generation:
    def __init__(self, decoder, adapter, ids, lengths, stop, temperature, top_p, uniforms, limit, steering):
        """`uniforms` [B, limit], empty where the likeliest token is taken; `steering`: None or {layer, weights, vector, scale, after}."""
        self.decoder, self.adapter, self.steering = decoder, adapter, steering
        self.temperature, self.top_p, self.uniforms, self.limit = temperature, top_p, uniforms, limit
        self.batch = Batch(ids, lengths, left=True)
        self.stop = torch.tensor(sorted(stop), dtype=torch.long)
        count = len(self.batch.ids)
        self.attention = self.batch.attention
        self.next_position = torch.tensor(self.batch.lengths)[:, None]
        self.done = torch.zeros(count, dtype=torch.bool)
        self.tokens = torch.zeros(count, 0, dtype=torch.long)
        self.cache = None

    @torch.no_grad()
    def advance(self, steps):
        """Up to `steps` further tokens of every sequence, [B, made]; finished ones go on with tokens that nobody reads."""
        self.decoder.use_adapter(self.adapter)
        before = self.tokens.shape[1]
        while self.tokens.shape[1] < min(before + steps, self.limit) and not self.done.all():
            logits = self._first() if self.cache is None else self._next()
            chosen = self._choose(logits)
            self.tokens = torch.cat([self.tokens, chosen[:, None]], 1)
            self.done |= torch.isin(chosen, self.stop)
        return self.tokens[:, before:]

    def _first(self):
        batch = self.batch
        layer, weights, vector = (None, None, None) if self.steering is None else (self.steering["layer"], batch.spread(self.steering["weights"]), self.steering["vector"])
        rows = torch.arange(1, len(batch.ids) + 1) * batch.width - 1
        with self.decoder.steering(layer, weights, vector):
            logits, self.cache = self.decoder.logits(rows, batch.ids, batch.attention, batch.positions, keep_cache=True)
        return logits

    def _next(self):
        count = len(self.done)
        self.attention = torch.cat([self.attention, torch.ones(count, 1, dtype=torch.long)], 1)
        steered = self.steering is not None and self.steering["after"]
        layer, vector = (self.steering["layer"], self.steering["vector"]) if steered else (None, None)
        weights = torch.full((count, 1), self.steering["scale"] if steered else 0.0)
        with self.decoder.steering(layer, weights, vector):
            logits, self.cache = self.decoder.logits(
                torch.arange(count), self.tokens[:, -1:], self.attention, self.next_position, cache=self.cache
            )
        self.next_position = self.next_position + 1
        return logits

    def _choose(self, logits):
        """The next token of each row of logits [B, V], on the CPU."""
        if self.temperature <= 0:
            return logits.argmax(-1).cpu()
        uniform = self.uniforms[:, self.tokens.shape[1]].to(logits.device)
        return sample(logits, self.temperature, self.top_p, uniform).cpu()


def sample(logits, temperature, top_p, uniform):
    """Tokens [B] for logits [B, V]; `uniform` [B] f64 in [0, 1) decides: the inverse of the distribution function, in the order
    of token ids, or of falling probability where only a nucleus of mass `top_p` is kept (ties: the lower id first)."""
    top = logits.max(-1, keepdim=True).values
    weights = ((logits - top).double() / temperature).exp()
    if top_p >= 1:
        sums = weights.cumsum(-1)
        return _draw(sums, uniform * sums[:, -1], torch.full_like(uniform, weights.shape[1] - 1, dtype=torch.long))
    ordered, order = weights.sort(stable=True, dim=-1, descending=True)
    sums = ordered.cumsum(-1)
    # The nucleus ends with the first token whose sum reaches the mass.
    last = (sums < top_p * sums[:, -1:]).sum(-1).clamp(max=weights.shape[1] - 1)
    mass = sums.gather(1, last[:, None])[:, 0]
    return order.gather(1, _draw(sums, uniform * mass, last)[:, None])[:, 0]


def _draw(sums, at, last):
    return torch.minimum((sums <= at[:, None]).sum(-1), last)
