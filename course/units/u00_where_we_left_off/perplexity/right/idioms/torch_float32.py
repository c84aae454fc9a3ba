def perplexity(losses, tokens):
    l, t = torch.tensor(losses), torch.tensor(tokens)
    return torch.exp((l * t).sum() / t.sum()).item()
