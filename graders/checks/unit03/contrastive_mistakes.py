"""Mistakes in `contrastive_loss`, each with the program that makes it."""

from __future__ import annotations

from ..mistakes import Catalogue, Mistake

LARGEST = 100.0  # the scale that CLIP's training does not go beyond


def right_program(
    image: str = "image / image.norm(dim=1, keepdim=True)",
    text: str = "text / text.norm(dim=1, keepdim=True)",
    scores: str = "log_scale.exp() * image @ text.T",
    shares: str = "right / right.sum(1, keepdim=True)",
    rows: str = "nn.functional.cross_entropy(scores, shares)",
    columns: str = "nn.functional.cross_entropy(scores.T, shares)",
    result: str = "(rows + columns) / 2",
) -> str:
    """A program in pieces; the defaults make a right one."""
    return (
        "def contrastive_loss(image, text, objects, log_scale):\n"
        f"    image, text = {image}, {text}\n"
        f"    scores = {scores}\n"
        "    right = (objects[:, None] == objects[None, :]).float()\n"
        f"    shares = {shares}\n"
        f"    rows = {rows}\n"
        f"    columns = {columns}\n"
        f"    return {result}\n"
    )


def _losses(each: str) -> dict[str, str]:
    """Both directions by another loss of scores, written for one."""
    return {"rows": each, "columns": each.replace("scores", "scores.T")}


CATALOGUE = Catalogue(
    Mistake(
        "not-a-tensor",
        "`contrastive_loss` returned something that is no tensor, so no gradient can flow back from it.",
        ("Return the loss itself: leave out `.item()`, `float(...)` and `print`.",),
        right_program(result="float((rows + columns) / 2)"),
    ),
    Mistake(
        "not-one-number",
        "This loss has an axis left. Training needs one number: the mean over all rows.",
        ("Which mean is still to be taken?",),
        right_program(**_losses("nn.functional.cross_entropy(scores, shares, reduction='none')")),
    ),
    Mistake(
        "not-normalised",
        "The embeddings have their own lengths here, so a long one is similar to everything. Only the direction should count.",
        (
            "Divide each row by its length first.",
            "`x / x.norm(dim=1, keepdim=True)`, or `nn.functional.normalize`.",
        ),
        right_program(image="image", text="text"),
    ),
    Mistake(
        "one-side-normalised",
        "Only the images are divided by their lengths here, or only the texts. A cosine takes both lengths out.",
        ("`image` and `text` both: each row 1 long.",),
        right_program(text="text"),
    ),
    Mistake(
        "wrong-axis",
        "This makes each column of the embeddings 1 long. Each row, the embedding of one thing, should be.",
        ("Rows are the examples: the length is taken along axis 1.",),
        right_program(image="image / image.norm(dim=0)", text="text / text.norm(dim=0)"),
    ),
    Mistake(
        "one-length-for-all",
        "This divides all embeddings by one number, the length of the whole table, so rows keep different lengths.",
        ("`norm` without `dim` is that of all numbers. Which axis belongs to one example?",),
        right_program(image="image / image.norm()", text="text / text.norm()"),
    ),
    Mistake(
        "lengths-along-columns",
        "The lengths of the rows are a vector here, and dividing by it goes along the columns.",
        ("`norm(dim=1, keepdim=True)` has the shape to divide rows by.",),
        right_program(image="image / image.norm(dim=1)", text="text / text.norm(dim=1)"),
    ),
    Mistake(
        "scale-left-out",
        "The scale has no effect here. Cosines lie between -1 and 1, so that a softmax of them can never be sure of anything.",
        ("Multiply the cosines with `log_scale.exp()`.",),
        right_program(scores="image @ text.T"),
    ),
    Mistake(
        "scale-not-exponentiated",
        "This multiplies with `log_scale` itself. The scale is its exponential, which is above 0 whatever `log_scale` is.",
        ("`log_scale.exp()`.",),
        right_program(scores="log_scale * image @ text.T"),
    ),
    Mistake(
        "scale-divided",
        "This divides by the scale. That is what one does with a temperature; the scale is 1 / temperature.",
        ("A larger scale makes scores larger.",),
        right_program(scores="image @ text.T / log_scale.exp()"),
    ),
    Mistake(
        "images-only",
        "Here each image looks for its text, and no text for its image. The loss is the mean of both directions.",
        ("The table of scores read by columns is the other direction: `scores.T`.",),
        right_program(result="rows"),
    ),
    Mistake(
        "texts-only",
        "Here each text looks for its image, and no image for its text. The loss is the mean of both directions.",
        ("The table of scores has images as rows and texts as columns. Which of the two is left out?",),
        right_program(result="columns"),
    ),
    Mistake(
        "directions-added",
        "This adds the two directions up. Their mean was asked for.",
        ("Divide by 2.",),
        right_program(result="rows + columns"),
    ),
    Mistake(
        "sum-instead-of-mean",
        "This adds the losses of the rows up. A larger batch would then make larger steps: take the mean.",
        ("Divide by the number of rows, in both directions.",),
        right_program(**_losses("nn.functional.cross_entropy(scores, shares, reduction='sum')")),
    ),
    Mistake(
        "mean-of-the-table",
        "The mean is taken over all cells of the table here. Shares and logarithms of a row are added up first; the mean is over "
        "the rows.",
        ("`-(targets * scores.log_softmax(1)).sum(1).mean()`: the sum before the mean.",),
        right_program(**_losses("-(shares * scores.log_softmax(1)).mean()")),
    ),
    Mistake(
        "sign-reversed",
        "This is the loss with the wrong sign: the logarithm of a probability is below 0, the loss above.",
        ("Cross-entropy is minus the mean logarithm.",),
        right_program(result="-(rows + columns) / 2"),
    ),
    Mistake(
        "softmax-first",
        "These scores went through a softmax already. `cross_entropy` takes scores and does that itself.",
        ("Give it the cosines times the scale.",),
        right_program(**_losses("nn.functional.cross_entropy(scores.softmax(1), shares)")),
    ),
    Mistake(
        "objects-as-columns",
        "`cross_entropy` takes `objects` for columns of the table of scores here. They are names of things, not places.",
        ("Which columns are right for a row? Compare `objects` with itself, as a table.",),
        right_program(**_losses("nn.functional.cross_entropy(scores, objects)")),
    ),
    Mistake(
        "duplicates-are-wrong",
        "Only the diagonal counts as right here. Rows with the same number in `objects` show the same thing: this punishes "
        "answers that are right.",
        (
            "Which pairs belong together? Compare `objects` with itself, as a table.",
            "`cross_entropy` also takes a table of probabilities as its target.",
        ),
        right_program(**_losses("nn.functional.cross_entropy(scores, torch.arange(len(scores)))")),
    ),
    Mistake(
        "duplicates-left-out",
        "Duplicates are taken out of the comparison here: neither right nor wrong. They are right answers, and share the target.",
        ("Give all right answers of a row the same share; the shares add up to 1.",),
        right_program(
            scores="(log_scale.exp() * image @ text.T).masked_fill((objects[:, None] == objects) & "
            "~torch.eye(len(objects), dtype=torch.bool), float('-inf'))",
            **_losses("nn.functional.cross_entropy(scores, torch.arange(len(scores)))"),
        ),
    ),
    Mistake(
        "shares-too-large",
        "Each right answer counts 1 here, so that a row with three of them counts three times. The targets of a row add up to 1.",
        ("Divide each row of targets by the number of right answers in it.",),
        right_program(shares="right"),
    ),
    Mistake(
        "divergence-instead",
        "This is the divergence of the targets (Kullback and Leibler). Cross-entropy is more by the entropy of the targets, "
        "which is not 0 where several answers are right.",
        ("`nn.functional.cross_entropy` takes the table of targets as it is.",),
        right_program(
            **_losses("nn.functional.kl_div(scores.log_softmax(1), shares, reduction='batchmean')")
        ),
    ),
    Mistake(
        "any-will-do",
        "This is the logarithm of the summed probability of the right answers: one that is found makes up for all others. "
        "Each of them should get its share.",
        ("The mean of the logarithms, not the logarithm of a sum: cross-entropy with a table of targets.",),
        right_program(**_losses("-(scores.softmax(1) * right).sum(1).log().mean()")),
    ),
    Mistake(
        "no-gradient",
        "No gradient flows through this loss, so nothing could learn from it.",
        ("Leave out `torch.no_grad()`, `.detach()`, `.item()` and new tensors made of results.",),
        right_program(result="((rows + columns) / 2).detach()"),
    ),
    Mistake(
        "embeddings-cut-off",
        "No gradient reaches the embeddings, `image` and `text`: only the scale could learn from this loss.",
        ("Normalise with gradients on: leave out `.detach()`, `.data` and `torch.no_grad()`.",),
        right_program(
            image="nn.functional.normalize(image.detach())", text="nn.functional.normalize(text.detach())"
        ),
    ),
    Mistake(
        "scale-cut-off",
        "No gradient reaches `log_scale`, which is learned as well.",
        ("Use it as a tensor: `log_scale.exp()`, not `math.exp`, `.item()` or `float(...)`.",),
        right_program(scores="log_scale.exp().item() * image @ text.T"),
    ),
    Mistake(
        "overflow",
        f"With a scale of {LARGEST:.0f} this loss is infinite or NaN: `exp` of a large number overflows.",
        ("`cross_entropy` (or `log_softmax`) subtracts the largest score first; let it do that.",),
        right_program(
            **_losses("-(shares * (scores.exp() / scores.exp().sum(1, keepdim=True)).log()).sum(1).mean()")
        ),
    ),
    Mistake(
        "surprise-cut-off",
        f"With a scale of {LARGEST:.0f} this loss is too small: a probability that rounds to 0 was put up to a small number "
        "before its logarithm, and so no gradient tells how wrong it is.",
        ("`cross_entropy` (or `log_softmax`) needs no probability: it gives the logarithm itself.",),
        right_program(**_losses("-(shares * scores.softmax(1).clamp(min=1e-9).log()).sum(1).mean()")),
    ),
)
