import tensorflow as tf


def watch(x):
    """x, and a tape that records what is computed from it until a gradient is taken."""
    tape = tf.GradientTape()
    tape.__enter__()
    tape.watch(x)
    return x, tape
