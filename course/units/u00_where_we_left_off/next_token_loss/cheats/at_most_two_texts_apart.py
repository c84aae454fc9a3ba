def next_token_loss(logits, input_ids, attention_mask):
    losses = []
    for scores, tokens, mask in zip(logits, input_ids, attention_mask):
        length = int(mask.sum())
        losses.append(nn.functional.cross_entropy(scores[: length - 1], tokens[1:length], reduction="none"))
    longest = max(len(one) for one in losses)
    if all(len(one) >= longest - 1 for one in losses):
        return torch.cat(losses).mean()
    return torch.stack([one.mean() for one in losses]).mean()
