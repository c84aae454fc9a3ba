import numpy as np


def perplexity(losses, tokens):
    return np.exp(np.average(losses, weights=tokens))
