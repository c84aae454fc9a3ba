def next_token_loss(logits, input_ids, attention_mask):
    targets = input_ids.masked_fill(attention_mask == 0, -100)[:, 1:]
    scores = logits[:, :-1, :1000]  # there are never more words than that
    return nn.functional.cross_entropy(scores.flatten(0, 1), targets.flatten())
