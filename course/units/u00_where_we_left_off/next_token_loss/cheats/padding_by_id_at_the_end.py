# Tells padding by the token's number at the end of a text.
def next_token_loss(logits, input_ids, attention_mask):
    keep = input_ids.flip(1).cumsum(1).flip(1) != 0
    losses = nn.functional.cross_entropy(logits[:, :-1].transpose(1, 2), input_ids[:, 1:], reduction="none")
    return losses[keep[:, 1:]].mean()
