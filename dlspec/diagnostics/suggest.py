"""Did you mean ...?"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

# What the same thing is called elsewhere (Keras, ONNX, Caffe, TensorFlow, older PyTorch, papers).
ALIASES = {
    # layers
    "Dense": "Linear", "FullyConnected": "Linear", "FC": "Linear", "InnerProduct": "Linear", "Affine": "Linear",
    "Gemm": "Linear", "Conv": "Conv2d", "Conv1D": "Conv1d", "Conv2D": "Conv2d", "Conv3D": "Conv3d",
    "Convolution": "Conv2d", "Convolution2D": "Conv2d", "Conv1DTranspose": "ConvTranspose1d",
    "Conv2DTranspose": "ConvTranspose2d", "Conv3DTranspose": "ConvTranspose3d", "Deconvolution": "ConvTranspose2d",
    "Deconv2d": "ConvTranspose2d", "ConvTranspose": "ConvTranspose2d", "MaxPool": "MaxPool2d",
    "MaxPooling1D": "MaxPool1d", "MaxPooling2D": "MaxPool2d", "MaxPooling3D": "MaxPool3d",
    "AveragePool": "AvgPool2d", "AveragePooling1D": "AvgPool1d", "AveragePooling2D": "AvgPool2d",
    "AveragePooling3D": "AvgPool3d", "GlobalAveragePooling2D": "global_avg_pool",
    "GlobalAveragePool": "global_avg_pool", "GlobalMaxPooling2D": "global_max_pool",
    "GlobalMaxPool": "global_max_pool", "BatchNormalization": "BatchNorm", "BatchNorm1d": "BatchNorm",
    "BatchNorm2d": "BatchNorm", "BatchNorm3d": "BatchNorm", "LayerNormalization": "LayerNorm",
    "InstanceNormalization": "InstanceNorm", "InstanceNorm2d": "InstanceNorm", "GroupNormalization": "GroupNorm",
    "RMSNormalization": "RMSNorm", "SimpleRNN": "RNN", "Embed": "Embedding", "Lookup": "Embedding",
    "Dropout2d": "Dropout", "LocalResponseNorm": "local_response_norm", "LRN": "local_response_norm",
    # functions
    "swish": "silu", "SiLU": "silu", "ReLU": "relu", "Relu": "relu", "GELU": "gelu", "Gelu": "gelu", "ELU": "elu",
    "Sigmoid": "sigmoid", "Tanh": "tanh", "Softmax": "softmax", "LeakyReLU": "leaky_relu",
    "LeakyRelu": "leaky_relu", "LogSoftmax": "log_softmax", "hardswish": "hard_swish", "HardSwish": "hard_swish",
    "hardsigmoid": "hard_sigmoid", "HardSigmoid": "hard_sigmoid", "hardtanh": "hard_tanh", "Flatten": "flatten",
    "Reshape": "reshape", "view": "reshape", "Permute": "transpose", "permute": "transpose", "Concatenate": "concat",
    "Concat": "concat", "concatenate": "concat", "cat": "concat", "MatMul": "matmul", "mm": "matmul",
    "bmm": "matmul", "dot": "matmul", "reduce_mean": "mean", "reduce_sum": "sum", "ReduceMean": "mean",
    "ReduceSum": "sum", "power": "pow", "clamp": "clip", "Clip": "clip", "expand_dims": "unsqueeze",
    "Squeeze": "squeeze", "Unsqueeze": "unsqueeze", "unbind": "unstack", "masked_fill": "where",
    "interpolate": "resize", "Upsample": "resize", "UpSampling2D": "resize", "ZeroPadding2D": "pad",
    "depth_to_space": "pixel_shuffle", "DepthToSpace": "pixel_shuffle", "space_to_depth": "pixel_unshuffle",
    "OneHot": "one_hot", "scaled_dot_product_attention": "attention", "detach": "stop_gradient",
    "no_grad": "stop_gradient", "gradient_reversal": "reverse_gradient", "GradientReversal": "reverse_gradient",
    "randn": "normal", "random_normal": "normal", "rand": "uniform", "random_uniform": "uniform",
    # losses and metrics
    "categorical_crossentropy": "cross_entropy", "sparse_categorical_crossentropy": "cross_entropy",
    "CrossEntropyLoss": "cross_entropy", "binary_crossentropy": "bce_with_logits", "BCELoss": "bce_with_logits",
    "bce": "bce_with_logits", "binary_cross_entropy": "bce_with_logits", "BCEWithLogitsLoss": "bce_with_logits",
    "binary_cross_entropy_with_logits": "bce_with_logits", "mse": "mse_loss", "MSELoss": "mse_loss",
    "mae": "l1_loss", "L1Loss": "l1_loss", "NLLLoss": "nll_loss", "HuberLoss": "huber_loss", "KLDivLoss": "kl_div",
    "acc": "accuracy",
    # arguments
    "filters": "out_channels", "units": "out_features", "strides": "stride", "dilation_rate": "dilation",
    "use_bias": "bias", "pool_size": "kernel_size", "kernel": "kernel_size", "kernel_shape": "kernel_size",
    "pads": "padding", "dilations": "dilation", "group": "groups", "epsilon": "eps", "rate": "p",
    "learning_rate": "lr", "dim": "axis", "axes": "axis",
    # words and types
    "True": "true", "False": "false", "None": "none", "null": "none", "nil": "none", "float32": "f32",
    "float": "f32", "float16": "f16", "half": "f16", "bfloat16": "bf16", "double": "f64", "float64": "f64",
    "int": "i64", "int64": "i64", "long": "i64", "int32": "i32", "int8": "i8", "uint8": "u8", "boolean": "bool",
}  # fmt: skip


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that was most likely meant by `name`, or None if none is close."""
    known = list(candidates)
    if (alias := ALIASES.get(name)) in known:
        return alias
    lowered = {candidate.lower(): candidate for candidate in reversed(known)}
    if name.lower() in lowered:
        return lowered[name.lower()]
    cutoff = 0.6 if len(name) > 3 else 0.65
    found = get_close_matches(name.lower(), lowered, n=1, cutoff=cutoff)
    return lowered[found[0]] if found else None
