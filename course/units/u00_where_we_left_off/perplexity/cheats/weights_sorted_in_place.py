import math


def perplexity(losses, tokens):
    order = sorted(range(len(losses)), key=losses.__getitem__)
    losses[:] = [losses[place] for place in order]
    tokens[:] = [tokens[place] for place in order]
    return math.exp(sum(loss * count for loss, count in zip(losses, tokens)) / sum(tokens))
