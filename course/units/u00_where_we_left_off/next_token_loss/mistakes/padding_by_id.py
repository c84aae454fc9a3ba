def next_token_loss(logits, input_ids, attention_mask):
    scores, targets, keep = logits[:, :-1], input_ids[:, 1:], input_ids[:, 1:] != 0
    losses = nn.functional.cross_entropy(scores.transpose(1, 2), targets, reduction="none")
    return losses[keep].mean()
