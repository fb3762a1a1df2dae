"""Opens a checkpoint folder with transformers and an adapter folder with peft. Nothing is downloaded and no code of a checkpoint
runs; a weight that is missing or has another shape is an error, where the libraries would only warn and make one up."""
import contextlib
import json
import os

import torch
import transformers

from .decoder import Decoder
from .errors import InputError

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def open_decoder(path, name, device, dtype, quantize, threads):
    """The decoder of the checkpoint folder `path`; `name` is what the user calls it."""
    torch.set_num_threads(threads)
    _exact_arithmetic()
    settings = {"local_files_only": True, "trust_remote_code": False}
    _check_type(path, name)
    with _as_input_error(name, "transformers cannot open it"):
        config = transformers.AutoConfig.from_pretrained(path, **settings)
    text = config.get_text_config()
    settings |= {"config": config, "dtype": DTYPES[dtype], "use_safetensors": True, "output_loading_info": True, "ignore_mismatched_sizes": True}
    placed = _placement(device)
    if placed is not None:
        _need("accelerate", f"--device {device}")
        settings["device_map"] = placed
    if quantize is not None:
        settings["quantization_config"] = _nf4(dtype)
        settings.setdefault("device_map", {"": "cpu"})
    # Fused kernels compute no soft-capped scores; some versions of transformers would leave the cap out without a word.
    if getattr(text, "attn_logit_softcapping", None) is not None:
        settings["attn_implementation"] = "eager"
    with _as_input_error(name, "transformers cannot open it"):
        model, info = transformers.AutoModelForCausalLM.from_pretrained(path, **settings)
    _check_loaded(name, info)
    if device == "cuda":
        _refuse_offloading(name, model)
    model.eval().requires_grad_(False)
    _keep_differentiable(model)
    return Decoder(model, name)


def add_adapter(decoder, path, name):
    """Puts the PEFT adapter of the folder `path` on the decoder's model, beside the weights: they can be used without it."""
    _need("peft", "--adapter")
    import peft
    from safetensors.torch import load_file

    with _as_input_error(name, f"peft cannot put it on {decoder.name}"):
        config = peft.PeftConfig.from_pretrained(path)
        config.inference_mode = True
        if config.is_prompt_learning:
            raise InputError(f"{name}: {config.peft_type.value} adds tokens of its own to prompts; give an adapter of weights (LoRA and its kin)")
        wrapped = peft.PeftModelForCausalLM(decoder.model, config)
        state = load_file(os.path.join(path, "adapter_model.safetensors"))
        result = peft.set_peft_model_state_dict(wrapped, state)
    if result.unexpected_keys:
        raise InputError(f"{name}: {_some(result.unexpected_keys)} belong to no module of {decoder.name}; give the adapter's own base model")
    trained = {key for key in result.missing_keys if ".default" in key or "modules_to_save" in key}
    if trained:
        raise InputError(f"{name}: lacks {_some(trained)}, which its adapter_config.json asks for")
    wrapped.eval().requires_grad_(False)
    decoder.adapter = wrapped
    decoder.adapter_on = True
    decoder.locate()


def _check_type(path, name):
    """A type that transformers does not know may come with code of its own, which is never run; and transformers 4 passes over the
    rotary settings that transformers 5 writes, so that it would compute something else without a word."""
    with open(os.path.join(path, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    kind = config.get("model_type")
    parts = [config, *(part for part in config.values() if isinstance(part, dict))]
    if transformers.__version__.startswith("4.") and any("rope_parameters" in part for part in parts):
        raise InputError(f"{name}: its config.json is of transformers 5 (rope_parameters), which transformers {transformers.__version__} misreads; install 5 or later")
    if kind not in transformers.CONFIG_MAPPING:
        raise InputError(f"{name}: transformers {transformers.__version__} knows no model_type {str(kind)[:60]!r}; use a newer one, or another model")


def _exact_arithmetic():
    """f32 means f32: no TF32 on the GPU."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def _placement(device):
    """None for the CPU, else the device map: one GPU whole, several shared by transformers' own rule."""
    if device == "cpu":
        return None
    if not torch.cuda.is_available():
        raise InputError("--device cuda: this Python's torch sees no GPU; install torch with CUDA, or leave the flag out")
    return "auto" if torch.cuda.device_count() > 1 else {"": 0}


def _nf4(dtype):
    _need("bitsandbytes", "--quantize nf4")
    _need("accelerate", "--quantize nf4")
    # Sums are taken in the activations' type; the quantisation constants are quantised too (QLoRA, Dettmers et al. 2023).
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=DTYPES[dtype]
    )


def _keep_differentiable(model):
    """On CPUs with AVX512-BF16 bitsandbytes repacks 4-bit weights for a kernel without gradients, at the first pass that asks for none."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def _need(package, what):
    try:
        __import__(package)
    except Exception as error:
        raise InputError(f"{what}: needs the Python package {package}, which does not load here ({' '.join(str(error).split())[:200]}); install it") from error


@contextlib.contextmanager
def _as_input_error(name, what):
    """What the libraries say of a folder that they cannot open is about the folder."""
    try:
        yield
    except InputError:
        raise
    except torch.cuda.OutOfMemoryError as error:
        raise InputError(f"{name}: does not fit into the GPU's memory; use --dtype bf16, --quantize nf4 or more GPUs") from error
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RuntimeError, ImportError, json.JSONDecodeError) as error:
        said = " ".join(str(error).split())[:300]
        raise InputError(f"{name}: {what}: {type(error).__name__}: {said}") from error
    except Exception as error:  # safetensors and huggingface_hub have errors of their own
        raise InputError(f"{name}: {what}: {type(error).__name__}: {' '.join(str(error).split())[:300]}") from error


def _check_loaded(name, info):
    missing, mismatched = list(info["missing_keys"]), list(info["mismatched_keys"])
    if missing:
        raise InputError(f"{name}: no tensor {_some(missing)}; this architecture needs it")
    if mismatched:
        key, found, wanted = mismatched[0]
        raise InputError(f"{name}: {key} has shape {list(found)}; config.json asks for {list(wanted)}")


def _refuse_offloading(name, model):
    places = {str(place) for place in getattr(model, "hf_device_map", {}).values()}
    if places & {"cpu", "disk"}:
        raise InputError(f"{name}: does not fit into the memory of the GPUs; use --dtype bf16, --quantize nf4 or more GPUs")


def _some(keys):
    keys = sorted(str(key)[:100] for key in keys)
    return ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
