"""A decoder-only model of transformers, whatever its family: its blocks, found by their shape, and forward passes over some of them.

Embedding, rotary tables, masks, final norm, head and soft-caps stay with transformers' own forward; blocks are taken out of it by
standing in for their `forward`. So a family that transformers opens needs no code here.

Dimensions: B sequences, T padded length, D width, R rows asked for, V vocabulary. Rows are flat indices b * T + t."""
import contextlib
import copy
import inspect

import torch

from .errors import InputError


class Decoder:
    def __init__(self, model, name):
        self.model = model
        self.name = name
        self.adapter = None
        self.adapter_on = False
        self.config = model.config.get_text_config()
        body = model.get_decoder() if hasattr(model, "get_decoder") else None
        # Some older classes answer with themselves.
        self.body = getattr(model, model.base_model_prefix) if body is None or body is model else body
        self.locate()
        self.width = self.config.hidden_size
        self.device = model.get_input_embeddings().weight.device
        # The cache's argument was renamed in transformers 5.
        names = inspect.signature(type(model).forward).parameters
        self.cache_argument = "cache" if "cache" in names else "past_key_values"
        self.parameters = sum(p.numel() * _unpacked(p) for p in model.parameters())
        self._probe()

    def locate(self):
        """Finds the parts that forward passes are taken apart at; again after an adapter has put its own in their place."""
        self.layers = _blocks(self.body, self.config.num_hidden_layers, self.name)
        self.norm = _final_norm(self.body, self.name)
        self.head = self.model.get_output_embeddings()
        if self.head is None:
            raise InputError(f"{self.name}: has no output head; a model that generates text is needed")

    def use_adapter(self, on):
        """Switches the adapter on or off; the weights below are shared."""
        if self.adapter is None or self.adapter_on == on:
            return
        base = self.adapter.base_model
        (base.enable_adapter_layers if on else base.disable_adapter_layers)()
        self.adapter.requires_grad_(False)  # switching on marks the adapter as trained
        self.adapter_on = on

    def linears(self):
        """(name, out, in) of every linear layer of the blocks, in order."""
        inside = {id(module): i for i, layer in enumerate(self.layers) for module in layer.modules()}
        found = []
        for name, module in self.model.named_modules():
            if id(module) in inside and hasattr(module, "in_features") and hasattr(module, "out_features"):
                found.append({"name": name, "layer": inside[id(module)], "out": module.out_features, "width": module.in_features})
        return found

    def forward(self, ids, attention, positions, cache=None, keep_cache=False):
        """The whole forward pass; `attention` [B, past + T]. Returns transformers' output."""
        given = {} if cache is None else {self.cache_argument: cache}
        return self.model(
            input_ids=ids.to(self.device),
            attention_mask=attention.to(self.device),
            position_ids=positions.to(self.device),
            use_cache=keep_cache or cache is not None,
            **given,
        )

    def logits(self, rows, *args, **kwargs):
        """forward() with logits [R, V] f32 at `rows` alone, and the cache that it left."""
        with self.reading(rows):
            output = self.forward(*args, **kwargs)
        return output.logits[0].float(), _cache_of(output)

    def stream(self, layer, rows, *args, **kwargs):
        """Residual stream after block `layer` at `rows` (all where None): [R, D] in the model's type; blocks above are left out."""
        caught = []
        hook = self.layers[layer].register_forward_hook(lambda _m, _i, output: caught.append(_hidden(output)))
        nothing = torch.zeros(1, dtype=torch.long)
        try:
            with self.skipping(range(layer + 1, len(self.layers))), self.reading(nothing):
                self.forward(*args, **kwargs)
        finally:
            hook.remove()
        whole = caught[0]
        return whole if rows is None else whole.flatten(0, 1)[rows.to(whole.device)]

    @contextlib.contextmanager
    def reading(self, rows):
        """The head sees only `rows`, as one sequence."""

        def select(_module, inputs):
            hidden = inputs[0]
            return (hidden.flatten(0, -2)[rows.to(hidden.device)][None],) + tuple(inputs[1:])

        hook = self.head.register_forward_pre_hook(select)
        try:
            yield
        finally:
            hook.remove()

    @contextlib.contextmanager
    def skipping(self, blocks, stream=None):
        """`blocks` pass on what they are given; the last of them hands on `stream` [B, T, D], where there is one."""
        blocks = list(blocks)
        saved = {}

        def stand_in(value):
            def forward(hidden_states=None, *_args, **_kwargs):
                result = hidden_states if value is None else value
                return (result,) if self.returns_tuple else result

            return forward

        try:
            for i in blocks:
                layer = self.layers[i]
                saved[i] = layer.__dict__.get("forward")
                layer.forward = stand_in(stream if i == blocks[-1] else None)
            yield
        finally:
            for i, forward in saved.items():
                if forward is None:
                    del self.layers[i].forward
                else:  # accelerate's, which moves inputs between devices
                    self.layers[i].forward = forward

    @contextlib.contextmanager
    def splicing(self, layer, places, rows):
        """Puts `rows` [R, D] in place of the residual stream after block `layer` at `places` [R]; nothing where `layer` is None."""
        if layer is None:
            yield
            return

        def replace(_module, _inputs, output):
            hidden = _hidden(output)
            flat = hidden.flatten(0, 1).clone()
            flat[places.to(flat.device)] = rows.to(flat)
            changed = flat.reshape(hidden.shape)
            return (changed,) + tuple(output[1:]) if isinstance(output, tuple) else changed

        hook = self.layers[layer].register_forward_hook(replace)
        try:
            yield
        finally:
            hook.remove()

    @contextlib.contextmanager
    def steering(self, layer, weights, vector):
        """Adds weights [B, T] x vector [D] to the residual stream after block `layer`; nothing where `layer` is None."""
        if layer is None:
            yield
            return

        def add(_module, _inputs, output):
            hidden = _hidden(output)
            change = weights.to(hidden.device)[..., None] * vector.to(hidden.device)
            # Rounded once: the sum, not its parts, goes to the model's type.
            changed = (hidden.float() + change).to(hidden.dtype)
            return (changed,) + tuple(output[1:]) if isinstance(output, tuple) else changed

        hook = self.layers[layer].register_forward_hook(add)
        try:
            yield
        finally:
            hook.remove()

    def logit_lens(self, directions):
        """W_U (w * x) of directions [n, D], w the final norm's weight: [n, V] f32 (src/model/decoder.ts, logitLens)."""
        device, dtype = self._norm_place()
        size = 1000.0  # beside which the norm's epsilon is nothing
        sign = torch.ones(self.width, device=device)
        sign[1::2] = -1  # rms 1 and mean 0: norms that subtract the mean see the same
        probe = (size * sign).to(dtype)
        # What the norm multiplies by, however it stores it (Gemma's weight is less 1); a bias drops out.
        weight = (self.norm(probe[None])[0].float() - self.norm(-probe[None])[0].float()) / 2 * sign
        x = directions.to(device) * weight
        output = self.head(x.to(dtype)[None])[0].float()
        bias = getattr(self.head, "bias", None)
        return output if bias is None else output - bias.float()

    def _norm_place(self):
        weight = next(self.norm.parameters())
        return weight.device, next(p for p in (getattr(self.head, "weight", weight), weight) if p.is_floating_point()).dtype

    def _probe(self):
        """One token through the model: what a block returns, and that the parts found are the ones that compute."""
        seen = []
        hooks = [layer.register_forward_hook(lambda _m, _i, output: seen.append(output)) for layer in self.layers]
        self.returns_tuple = False
        try:
            with torch.no_grad():
                one = torch.ones(1, 1, dtype=torch.long)
                logits, _ = self.logits(torch.zeros(1, dtype=torch.long), torch.zeros_like(one), one, torch.zeros_like(one))
        finally:
            for hook in hooks:
                hook.remove()
        if len(seen) != len(self.layers) or _hidden(seen[-1]).shape[-1] != self.width or logits.shape[0] != 1:
            raise InputError(f"{self.name}: its blocks do not pass one residual stream on; this architecture cannot be steered")
        self.returns_tuple = isinstance(seen[0], tuple)
        self.vocabulary = logits.shape[1]
        self._probe_gradients()

    def _probe_gradients(self):
        """Refuses linear layers that lose the gradient: some fused kernels are for inference, and say nothing."""
        lost = []

        def look(module, inputs, output):
            if inputs[0].requires_grad and not output.requires_grad:
                lost.append(type(module).__name__)

        linears = [module for module in self.layers[0].modules() if hasattr(module, "in_features")]
        hooks = [module.register_forward_hook(look) for module in linears]
        embedded = self.model.get_input_embeddings().register_forward_hook(lambda _m, _i, output: output.detach().requires_grad_())
        try:
            one = torch.ones(1, 1, dtype=torch.long)
            self.logits(torch.zeros(1, dtype=torch.long), torch.zeros_like(one), one, torch.zeros_like(one))
        finally:
            for hook in [*hooks, embedded]:
                hook.remove()
        if lost:
            raise InputError(f"{self.name}: gradients do not pass through its {lost[0]} layers here; use other weights, or another device")


def fork(cache, repeats=1):
    """A cache to go on from without changing `cache`, each of its sequences `repeats` times in a row."""
    layers = getattr(cache, "layers", None)
    plain = {"DynamicLayer", "DynamicSlidingWindowLayer"}
    if layers is not None and all(type(layer).__name__ in plain for layer in layers):
        # These replace their tensors when they grow, so the tensors can be shared.
        made = copy.copy(cache)
        made.layers = [copy.copy(layer) for layer in layers]
    else:
        made = copy.deepcopy(cache)
    if repeats > 1:
        made.batch_repeat_interleave(repeats)
    return made


def _cache_of(output):
    cache = getattr(output, "cache", None)
    return getattr(output, "past_key_values", None) if cache is None else cache


def _hidden(output):
    return output[0] if isinstance(output, tuple) else output


def _blocks(body, count, name):
    """The list of `count` blocks: the body's own, or the first of that length inside it."""
    for candidate in ("layers", "h", "blocks"):
        found = getattr(body, candidate, None)
        if isinstance(found, torch.nn.ModuleList) and len(found) == count:
            return found
    for module in body.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == count:
            return module
    raise InputError(f"{name}: no list of {count} decoder blocks in its {type(body).__name__}; this architecture cannot be steered")


def _final_norm(body, name):
    for candidate in ("norm", "final_layernorm", "ln_f", "final_layer_norm", "norm_f"):
        found = getattr(body, candidate, None)
        if isinstance(found, torch.nn.Module):
            return found
    raise InputError(f"{name}: no final norm after its blocks in {type(body).__name__}; this architecture is not supported")



def _unpacked(parameter):
    """Weights for each stored number: two 4-bit ones share a byte."""
    return 2 if type(parameter).__name__ == "Params4bit" and parameter.dtype == torch.uint8 else 1
