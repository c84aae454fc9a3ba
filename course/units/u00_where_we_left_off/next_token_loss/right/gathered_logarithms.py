def next_token_loss(logits, input_ids, attention_mask):
    chances = logits[:, :-1].log_softmax(-1)
    keep = attention_mask[:, 1:].float()
    picked = chances.gather(-1, input_ids[:, 1:].unsqueeze(-1)).squeeze(-1)
    return -(picked * keep).sum() / keep.sum()
