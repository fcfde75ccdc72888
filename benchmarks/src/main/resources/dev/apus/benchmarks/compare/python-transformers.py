"""Measures transformers: python-transformers.py MODEL TESTS OPTIONS, prints JSON."""

import inspect
import json
import sys
import time

path, tests, options = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
dtype = "auto"
for name, value in options:
    if name == "dtype":
        dtype = value
    else:
        sys.modules[value] = None

import torch
import transformers

torch.set_num_threads(tests["threads"])
model = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=dtype)
model.eval()
vocabulary = model.config.get_text_config().vocab_size


signature = inspect.signature(model.forward).parameters
# What a model calls the state that one call hands to the next.
kept = next(
    (name for name in ("past_key_values", "cache_params", "state") if name in signature), None
)
if kept is None:
    raise SystemExit(f"{path}: the model takes no state to go on from")


def step(count, state):
    """Computes tokens behind a state, and the logits after the last of them; returns the state."""
    ids = torch.tensor([[(7 * i + 3) % vocabulary for i in range(count)]])
    output = model(ids, use_cache=True, logits_to_keep=1, **{kept: state})
    # Some models change the state that they are given, and return none.
    returned = getattr(output, kept, None)
    return state if returned is None else returned


def measure(counts):
    state = None if kept == "state" else transformers.DynamicCache(config=model.config)
    if tests["depth"]:
        state = step(tests["depth"], state)
    begin = time.perf_counter()
    for count in counts:
        state = step(count, state)
    return sum(counts) / (time.perf_counter() - begin)


def repeat(counts):
    if sum(counts) == 0:
        return []
    measure(counts[:4])
    return [measure(counts) for _ in range(tests["repetitions"])]


with torch.inference_mode():
    result = {
        "version": f"transformers {transformers.__version__}, torch {torch.__version__}",
        "dtype": str(model.dtype).removeprefix("torch."),
        "prompt": repeat([tests["prompt"]]),
        "generate": repeat([1] * tests["generate"]),
    }
print(json.dumps(result))
