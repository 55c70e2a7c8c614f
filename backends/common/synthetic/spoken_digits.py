import numpy as np


def spoken_digits(
    seed: int,
    *,
    examples: int = 2000,
    most: int = 4,
    features: int = 12,
    noise: float = 0.6,
) -> dict[str, np.ndarray]:
    """Utterances of one to `most` digits: spectra that glide through each digit's sounds.

    Every digit is four sounds, said slower or faster, with pauses, noise and an own voice.
    `speech` is padded with zeros to 14 frames a digit, `digits` with zeros to `most`.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    sounds = rng.standard_normal((10, 4, features))
    speech = np.zeros((examples, 14 * most, features))
    digits = np.zeros((examples, most), int)
    count = rng.integers(1, most + 1, examples)
    frames = np.zeros(examples, int)
    for row in range(examples):
        voice = 1 + 0.2 * rng.standard_normal(features)
        said = digits[row, : count[row]] = rng.integers(0, 10, count[row])
        parts = []
        for digit in said:
            place = np.linspace(0, 3, rng.integers(6, 12))
            glide = [np.interp(place, range(4), sound) for sound in sounds[digit].T]
            parts += [np.transpose(glide), np.zeros((rng.integers(0, 4), features))]
        whole = np.concatenate(parts)
        frames[row] = len(whole)
        whole = voice * whole + noise * rng.standard_normal(whole.shape)
        speech[row, : len(whole)] = whole
    return {"speech": speech, "frames": frames, "digits": digits, "count": count}
