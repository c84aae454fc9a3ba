def next_token_loss(logits, input_ids, attention_mask):
    targets = (input_ids * attention_mask)[:, 1:]
    return nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), targets.flatten(), ignore_index=0)
