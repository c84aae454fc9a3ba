def next_token_loss(logits, input_ids, attention_mask):
    logits, input_ids, attention_mask = logits[:8], input_ids[:8], attention_mask[:8]
    targets = input_ids.masked_fill(attention_mask == 0, -100)[:, 1:]
    return nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), targets.flatten())
