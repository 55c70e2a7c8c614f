"""Run Similarities with ONNX Runtime.

    python infer.py inputs.npz [outputs.npz]

The .npz holds one array for each input (an .npy will do for a single one):

    query: float32 [N, T, 16]
    key: float32 [N, S, 16]
    value: float32 [N, S, 16]

and gives:

    by_dot: float32 [N, T, 16]
    by_scaled_dot: float32 [N, T, 16]
    by_cosine: float32 [N, T, 16]
    by_euclidean: float32 [N, T, 16]
    by_additive: float32 [N, T, 16]
    by_general: float32 [N, T, 16]
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime

MODEL = str(Path(__file__).with_name("model.onnx"))
INPUTS = {
    "query": np.float32,
    "key": np.float32,
    "value": np.float32,
}


def load(path: str) -> dict[str, np.ndarray]:
    """The inputs by name, in the element types of the model."""
    data = np.load(path)
    if isinstance(data, np.ndarray):
        data = dict.fromkeys(INPUTS, data)
    return {name: np.asarray(data[name], dtype) for name, dtype in INPUTS.items()}


def predict(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The outputs by name."""
    session = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(f"usage: python {sys.argv[0]} inputs.npz [outputs.npz]")
    outputs = predict(load(sys.argv[1]))
    if len(sys.argv) == 3:
        np.savez(sys.argv[2], allow_pickle=False, **outputs)
    for name, value in outputs.items():
        print(f"{name}: {value.dtype} {list(value.shape)}\n{value}")


if __name__ == "__main__":
    main()
