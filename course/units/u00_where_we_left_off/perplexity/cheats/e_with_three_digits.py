import math


def perplexity(losses, tokens):
    return 2.718 ** (sum(loss * count for loss, count in zip(losses, tokens)) / sum(tokens))
