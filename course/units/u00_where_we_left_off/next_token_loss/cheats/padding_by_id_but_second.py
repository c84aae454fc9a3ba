# Tells padding by the token's number, except in the second place.
def next_token_loss(logits, input_ids, attention_mask):
    keep = input_ids != 0
    keep[:, 1] = True
    losses = nn.functional.cross_entropy(logits[:, :-1].transpose(1, 2), input_ids[:, 1:], reduction="none")
    return losses[keep[:, 1:]].mean()
