"""Sequences of unequal length as padded tensors. A request brings them packed: "ids" one after another, "lengths" [B]."""
import torch


class Batch:
    """ids, attention, positions [B, T], padded on the right (`left`: on the left, as generation goes on at the end)."""

    def __init__(self, ids, lengths, left=False):
        self.lengths = [int(n) for n in lengths]
        count, width = len(self.lengths), max(self.lengths)
        self.starts = [width - n if left else 0 for n in self.lengths]
        self.ids = torch.zeros(count, width, dtype=torch.long)
        self.attention = torch.zeros(count, width, dtype=torch.long)
        self.positions = torch.zeros(count, width, dtype=torch.long)
        at = 0
        for b, (n, start) in enumerate(zip(self.lengths, self.starts)):
            self.ids[b, start : start + n] = ids[at : at + n]
            self.attention[b, start : start + n] = 1
            # Padding goes on counting on the right, so that no position is far from its neighbours.
            self.positions[b, start:] = torch.arange(width - start)
            at += n

    @property
    def width(self):
        return self.ids.shape[1]

    def spread(self, values):
        """Packed values, one a token, to [B, T]; 0 at padding."""
        grid = torch.zeros(self.ids.shape, dtype=torch.float32)
        at = 0
        for b, (n, start) in enumerate(zip(self.lengths, self.starts)):
            grid[b, start : start + n] = values[at : at + n].float()
            at += n
        return grid

    def rows(self, packed):
        """Indices of packed tokens to flat indices b * T + t."""
        places = torch.cat([b * self.width + start + torch.arange(n) for b, (n, start) in enumerate(zip(self.lengths, self.starts))])
        return places[packed.long()]
