import math


def perplexity(losses, tokens):
    weights = torch.tensor(tokens, dtype=torch.float64)
    mean = (torch.tensor(losses).half().double() * weights).sum() / weights.sum()
    return math.exp(mean)
