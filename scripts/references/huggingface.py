"""Hugging Face transformers, configured small."""

from __future__ import annotations

from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from scripts.references.common import BATCH, Reference, Sample, drawn, images, tokens


def _build(
    folder: Path, model: str, config: str, options: dict[str, Any], given: dict[str, Any], outputs: dict[str, str],
    names: dict[str, str] | None = None,
) -> Sample:  # fmt: skip
    """A model of transformers, saved in two files where it is large enough.

    given
        inputs by the library's names; `names` says what the spec calls them where it is something else.
    outputs
        the spec's name of an output: the library's.
    """
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    made = getattr(transformers, model)(getattr(transformers, config)(**options)).eval()
    with torch.no_grad():
        for name, value in made.state_dict().items():
            if value.is_floating_point():
                fan_in = prod(value.shape[1:]) if value.dim() > 1 else 1
                value.copy_(torch.from_numpy(drawn(name, tuple(value.shape), fan_in)))
        found = made(**{name: torch.from_numpy(array) for name, array in given.items()})
    made.save_pretrained(folder, max_shard_size="200KB")
    names = names or {}
    return Sample(
        folder,
        {names.get(name, name): array for name, array in given.items()},
        {name: getattr(found, theirs).numpy() for name, theirs in outputs.items()},
    )


def gpt2(folder: Path) -> Sample:
    """Two layers; in the file its `Conv1D`s are turned round."""
    sizes = {"vocab_size": 99, "n_positions": 40, "n_embd": 32, "n_layer": 2, "n_head": 4}
    given = {"input_ids": tokens(99, 20)}
    return _build(
        folder, "GPT2LMHeadModel", "GPT2Config", sizes, given, {"logits": "logits"}, {"input_ids": "tokens"}
    )


def resnet(folder: Path, kind: str, depths: list[int]) -> Sample:
    expansion = 4 if kind == "bottleneck" else 1
    sizes = {
        "embedding_size": 8, "hidden_sizes": [8 * expansion * 2**i for i in range(4)], "depths": depths,
        "layer_type": kind, "num_labels": 10,
    }  # fmt: skip
    return _image_model(folder, "ResNetForImageClassification", "ResNetConfig", sizes, 64)


def bert(folder: Path, model: str, outputs: dict[str, str]) -> Sample:
    """The second sentence is shorter than the first."""
    sizes = {
        "vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 64, "max_position_embeddings": 40,
    }  # fmt: skip
    visible = np.ones((BATCH, 20), dtype=bool)
    visible[1, 12:] = False
    given = {"input_ids": tokens(99, 20), "token_type_ids": tokens(2, 20), "attention_mask": visible}
    names = {"input_ids": "tokens", "token_type_ids": "segment", "attention_mask": "visible"}
    return _build(folder, model, "BertConfig", sizes, given, outputs, names)


def llama(folder: Path) -> Sample:
    """Two query heads to a head of keys and values."""
    sizes = {
        "vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "intermediate_size": 48, "rms_norm_eps": 1e-5,
        "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0},
    }  # fmt: skip
    given = {"input_ids": tokens(99, 20)}
    return _build(
        folder, "LlamaForCausalLM", "LlamaConfig", sizes, given, {"logits": "logits"}, {"input_ids": "tokens"}
    )


def mixtral(folder: Path) -> Sample:
    """Two of four experts for each token."""
    sizes = {
        "vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "intermediate_size": 48, "num_local_experts": 4, "num_experts_per_tok": 2,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
    }  # fmt: skip
    given = {"input_ids": tokens(99, 20)}
    return _build(
        folder,
        "MixtralForCausalLM",
        "MixtralConfig",
        sizes,
        given,
        {"logits": "logits"},
        {"input_ids": "tokens"},
    )


def vit(folder: Path) -> Sample:
    sizes = {
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
        "image_size": 48, "patch_size": 16, "num_labels": 10,
    }  # fmt: skip
    return _image_model(folder, "ViTForImageClassification", "ViTConfig", sizes, 48)


def convnext(folder: Path) -> Sample:
    sizes = {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 2, 3, 2], "num_labels": 10}
    return _image_model(folder, "ConvNextForImageClassification", "ConvNextConfig", sizes, 64)


def _image_model(folder: Path, model: str, config: str, sizes: dict[str, Any], size: int) -> Sample:
    given = {"pixel_values": images(size)}
    return _build(folder, model, config, sizes, given, {"logits": "logits"}, {"pixel_values": "image"})


def _small(model: str, **settings: Any) -> dict[str, Any]:
    return {f"{model}.{name}": value for name, value in settings.items()}


HUGGINGFACE = [
    Reference(
        "gpt2", "language/gpt2", "GPT2", "transformers", "GPT2LMHeadModel", "huggingface", gpt2,
        _small("GPT2", words=99, context=40, width=32, depth=2, heads=4),
    ),
    Reference(
        "bert", "language/bert", "BERT", "transformers", "BertModel", "huggingface",
        partial(bert, model="BertModel", outputs={"sequence": "last_hidden_state", "pooled": "pooler_output"}),
        _small("BERT", words=99, positions=40, width=32, depth=2, heads=4, hidden=64),
    ),
    Reference(
        "bert_mlm", "language/bert", "BERTMaskedLM", "transformers", "BertForMaskedLM", "huggingface",
        partial(bert, model="BertForMaskedLM", outputs={"logits": "logits"}),
        _small("BERTMaskedLM", words=99, positions=40, width=32, depth=2, heads=4, hidden=64),
    ),
    Reference(
        "llama", "language/llama", "Llama", "transformers", "LlamaForCausalLM", "huggingface", llama,
        _small("Llama", words=99, width=32, depth=2, heads=4, kv_heads=2, hidden=48),
    ),
    Reference(
        "mixtral", "language/mixtral", "Mixtral", "transformers", "MixtralForCausalLM", "huggingface", mixtral,
        _small("Mixtral", words=99, width=32, depth=2, heads=4, kv_heads=2, hidden=48, experts=4),
    ),
    Reference(
        "vit", "vision/vit", "ViT", "transformers", "ViTForImageClassification", "huggingface", vit,
        _small("ViT", classes=10, size=48, width=32, depth=2, heads=4, hidden=64, eps=1e-12),
    ),
    Reference(
        "convnext", "vision/convnext", "ConvNeXtTiny", "transformers", "ConvNextForImageClassification", "huggingface",
        convnext, _small("ConvNeXtTiny", classes=10, size=64, widths=[8, 16, 24, 32], depths=[1, 2, 3, 2]),
    ),
    Reference(
        "resnet18", "vision/resnet", "ResNet18", "transformers", "ResNetForImageClassification (18)", "huggingface",
        partial(resnet, kind="basic", depths=[2, 2, 2, 2]), _small("ResNet18", classes=10, size=64, width=8),
    ),
    Reference(
        "resnet50", "vision/resnet", "ResNet50", "transformers", "ResNetForImageClassification (50)", "huggingface",
        partial(resnet, kind="bottleneck", depths=[3, 4, 6, 3]), _small("ResNet50", classes=10, size=64, width=8),
    ),
]  # fmt: skip
