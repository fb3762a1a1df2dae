"""What a steering vector cannot change, computed once for a batch: the residual stream after the steered block, and the keys and
values above it of the tokens before the first steered one. A step then runs the blocks above on the remaining tokens alone.

Dimensions: B sequences, P tokens of every sequence before the first steered one, T tokens after them, N vectors at once. With N > 1
each sequence stands N times in a row in the batch."""
import torch

from .batch import Batch
from .decoder import fork


class Prepared:
    def __init__(self, decoder, adapter, layer, ids, lengths, mask, readout, top):
        """`readout`: packed indices of the rows that are read; `top`: blocks that run, decoder.layers of them or fewer."""
        self.decoder, self.adapter, self.layer, self.top = decoder, adapter, layer, top
        decoder.use_adapter(adapter)
        whole = Batch(ids, lengths)
        grid = whole.spread(mask)
        firsts = (grid > 0).int().argmax(1)
        self.past = int(firsts.min()) if layer + 1 < top else 0
        past = self.past
        self.ids, self.positions = whole.ids[:, past:], whole.positions[:, past:]
        self.attention = whole.attention
        self.mask = grid[:, past:]  # [B, T]
        rows = whole.rows(readout)
        self.owners = rows // whole.width  # [R] sequence of each row
        self.rows = self.owners * self.ids.shape[1] + rows % whole.width - past
        with torch.no_grad():
            stream = decoder.stream(layer, None, whole.ids, whole.attention, whole.positions)
            self.stream = stream[:, past:].contiguous()  # [B, T, D] on the steered block's device
            self.cache = self._prefix(whole.ids[:, :past], whole.positions[:, :past]) if past > 0 else None
        live = sum(n - past for n in whole.lengths)
        self.tokens = {"once": sum(whole.lengths) + past * self.prefixes, "step": live}

    prefixes = 0

    def _prefix(self, ids, positions):
        """Keys and values of the first P tokens; once where all sequences share them."""
        shared = bool((ids == ids[:1]).all())
        some = ids[:1] if shared else ids
        self.prefixes = len(some)
        nothing = torch.zeros(1, dtype=torch.long)
        _, cache = self.decoder.logits(nothing, some, torch.ones_like(some), positions[: len(some)], keep_cache=True)
        return fork(cache, len(ids)) if shared else cache

    def repeated(self, values, count):
        return values if count == 1 else values.repeat_interleave(count, 0)

    def steered(self, vectors, weights=None):
        """stream + weights x vectors: [B * N, T, D], for vectors [N, D] on all sequences; `weights` [B, T], default the mask."""
        count = len(vectors)
        stream = self.repeated(self.stream, count)
        weights = self.repeated((self.mask if weights is None else weights).to(stream.device), count)
        change = weights[..., None] * vectors.to(stream.device).repeat(len(self.stream), 1)[:, None, :]
        return (stream.float() + change).to(stream.dtype)

    def places(self, count):
        """Flat rows for N vectors: [R * N], the N copies of a row one after another."""
        if count == 1:
            return self.rows
        width = self.ids.shape[1]
        copies = self.owners[:, None] * count + torch.arange(count)[None]
        return (copies * width + (self.rows % width)[:, None]).flatten()

    def arguments(self, count):
        cache = None if self.cache is None else fork(self.cache, count)
        return {
            "ids": self.repeated(self.ids, count),
            "attention": self.repeated(self.attention, count),
            "positions": self.repeated(self.positions, count),
            "cache": cache,
        }

    def read_logits(self, stream, count):
        """Logits [R * N, V] f32 when block `layer` hands on `stream` [B * N, T, D]."""
        self.decoder.use_adapter(self.adapter)
        with self.decoder.skipping(range(self.layer + 1), stream):
            return self.decoder.logits(self.places(count), **self.arguments(count))[0]

    def read_stream(self, stream, count, target):
        """Residual stream after block `target` at the rows, [R * N, D] f32."""
        self.decoder.use_adapter(self.adapter)
        with self.decoder.skipping(range(self.layer + 1), stream):
            return self.decoder.stream(target, self.places(count), **self.arguments(count)).float()
