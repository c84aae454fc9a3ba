import math


def perplexity(losses, tokens):
    middle = len(losses) // 2
    parts = [(losses[:middle], tokens[:middle]), (losses[middle:], tokens[middle:])]
    means = [sum(x * n for x, n in zip(*part)) / sum(part[1]) for part in parts if part[1]]
    return math.exp(sum(means) / len(means))
