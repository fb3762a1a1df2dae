"""What can be asked: one method an operation, its name in header["op"]. Each returns (answer for JSON, {name: tensor}).

Models, prepared objectives, generations and trainings stay here under numbers, until they are dropped."""
import itertools

import torch

from .batch import Batch
from .decoder import Decoder
from .generation import Generation
from .measures import CrossEntropy, LayerChange
from .memory import PeakMemory
from .opening import add_adapter, open_decoder
from .prepared import Prepared
from .training import Training

OPERATIONS = {
    "open", "share", "residuals", "score", "text", "lens", "objective", "evaluate", "attribute", "layerChange", "change", "jacobian",
    "generate", "advance", "train", "step", "loss", "gradientNorms", "take", "drop", "memory",
}  # fmt: skip


class Operations:
    def __init__(self):
        self.kept = {}
        self.numbers = itertools.count()
        self.peak = PeakMemory()

    def answer(self, header, tensors):
        if header.get("op") not in OPERATIONS:
            raise ValueError(f"no operation {header.get('op')!r}")
        return getattr(self, header["op"])(header, tensors)

    def open(self, h, _t):
        decoder = open_decoder(h["path"], h["name"], h["device"], h["dtype"], h["quantize"], h["threads"])
        if h["adapter"] is not None:
            add_adapter(decoder, h["adapter"], h["adapterName"])
        config = decoder.config
        width = config.hidden_size
        return {
            "model": self._keep((decoder, h["adapter"] is not None)),
            "dModel": width,
            "layers": len(decoder.layers),
            "vocabulary": decoder.vocabulary,
            "heads": config.num_attention_heads,
            "ff": getattr(config, "intermediate_size", None) or 4 * width,
            "parameters": decoder.parameters,
            "linears": decoder.linears(),
            "weights": [{"name": name, "dimensions": p.ndim} for name, p in decoder.model.named_parameters() if p.dtype == torch.float32],
            "freeBytes": self.peak.free(),
            "devices": max(1, torch.cuda.device_count()) if h["device"] == "cuda" else 1,
        }, {}

    def share(self, h, _t):
        """The same weights without their adapter."""
        decoder, _ = self.kept[h["model"]]
        return {"model": self._keep((decoder, False))}, {}

    @torch.no_grad()
    def residuals(self, h, t):
        decoder = self._use(h["model"])
        batch = Batch(t["ids"], t["lengths"])
        values = decoder.stream(h["layer"], batch.rows(t["select"]), batch.ids, batch.attention, batch.positions)
        return {}, {"residual": values.float()}

    @torch.no_grad()
    def score(self, h, t):
        """log p of "targets" at the packed rows "readout", and the likeliest tokens there."""
        decoder = self._use(h["model"])
        batch = Batch(t["ids"], t["lengths"])
        weights = batch.spread(t["weights"]) if h["layer"] is not None else None
        with decoder.steering(h["layer"], weights, t.get("vector")):
            logits, _ = decoder.logits(batch.rows(t["readout"]), batch.ids, batch.attention, batch.positions)
        targets = t["targets"].long().to(logits.device)
        return {}, {"logprobs": logits.log_softmax(-1).gather(1, targets[:, None])[:, 0], "greedy": logits.argmax(-1).int()}

    @torch.no_grad()
    def text(self, h, t):
        """log p of "targets" at every packed token; where there is a layer, with "replacements" after it at the tokens "replaced"."""
        decoder = self._use(h["model"])
        batch = Batch(t["ids"], t["lengths"])
        places = batch.rows(t["replaced"]) if h["layer"] is not None else None
        everywhere = batch.rows(torch.arange(len(t["ids"])))
        with decoder.splicing(h["layer"], places, t.get("replacements")):
            logits, _ = decoder.logits(everywhere, batch.ids, batch.attention, batch.positions)
        targets = t["targets"].long().to(logits.device)
        return {}, {"logprobs": logits.log_softmax(-1).gather(1, targets[:, None])[:, 0]}

    @torch.no_grad()
    def lens(self, h, t):
        return {}, {"logits": self._use(h["model"]).logit_lens(t["directions"])}

    def objective(self, h, t):
        prepared = self._prepare(h, t, top=None)
        return {"kept": self._keep(CrossEntropy(prepared, t["targets"])), "tokens": prepared.tokens}, {}

    def layerChange(self, h, t):
        prepared = self._prepare(h, t, top=h["target"] + 1)
        objective = LayerChange(prepared, h["target"], h["p"], h["q"], h["norm"])
        squares = float(objective.unsteered.double().square().sum())
        return {"kept": self._keep(objective), "tokens": prepared.tokens, "squares": squares}, {}

    def evaluate(self, h, t):
        objective = self.kept[h["kept"]]
        losses, gradients = objective.evaluate(t["theta"], h["sequences"]) if isinstance(objective, CrossEntropy) else objective.evaluate(t["theta"])
        return {}, {"losses": losses, "gradients": gradients}

    def attribute(self, h, _t):
        losses, gradients = self.kept[h["kept"]].attribute()
        return {}, {"losses": losses, "gradients": gradients}

    def change(self, h, t):
        return {}, {"rows": self.kept[h["kept"]].change(t["theta"])}

    def jacobian(self, h, t):
        return {}, {"rows": self.kept[h["kept"]].jacobian_product(t["theta"][0])}

    def generate(self, h, t):
        decoder, adapter = self.kept[h["model"]]
        steering = None
        if h["layer"] is not None:
            steering = {"layer": h["layer"], "weights": t["weights"], "vector": t["vector"], "scale": h["scale"], "after": h["afterPrompt"]}
        made = Generation(decoder, adapter, t["ids"], t["lengths"], h["stop"], h["temperature"], h["topP"], t["uniforms"], h["limit"], steering)
        return {"kept": self._keep(made)}, {}

    def advance(self, h, _t):
        made = self.kept[h["kept"]]
        tokens = made.advance(h["steps"])
        return {"done": bool(made.done.all())}, {"tokens": tokens.int()}

    def train(self, h, t):
        decoder, _ = self.kept[h["model"]]
        return {"kept": self._keep(Training(decoder, h["names"], h["pairs"], t))}, {}

    def step(self, h, t):
        loss, norm = self.kept[h["kept"]].step(t, h["settings"], h["updates"])
        return {"loss": loss, "norm": norm}, {}

    def loss(self, h, t):
        return {"loss": self.kept[h["kept"]].loss(t)}, {}

    def gradientNorms(self, h, t):
        loss, norms = self.kept[h["kept"]].gradient_norms(t)
        return {"loss": loss, "norms": norms}, {}

    def take(self, h, _t):
        """Values of trained weights, and of the moments that there are."""
        training = self.kept[h["kept"]]
        known = {**training.values, **training.moments}
        return {}, {name: known[name].flatten() for name in h["names"] if name in known}

    def drop(self, h, _t):
        dropped = self.kept.pop(h["kept"], None)
        if isinstance(dropped, Training):
            dropped.close()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return {}, {}

    def memory(self, _h, _t):
        return {"peakBytes": self.peak.take()}, {}

    def _prepare(self, h, t, top):
        decoder, adapter = self.kept[h["model"]]
        blocks = len(decoder.layers) if top is None else top
        return Prepared(decoder, adapter, h["layer"], t["ids"], t["lengths"], t["mask"], t["readout"], blocks)

    def _use(self, number) -> Decoder:
        decoder, adapter = self.kept[number]
        decoder.use_adapter(adapter)
        return decoder

    def _keep(self, value):
        number = next(self.numbers)
        self.kept[number] = value
        return number
