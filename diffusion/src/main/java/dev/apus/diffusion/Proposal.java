package dev.apus.diffusion;

/**
 * What the model proposes for one position.
 *
 * @param token the token that was chosen: the likeliest, or one that was drawn
 * @param probability of the chosen token, in the model's own distribution
 * @param likeliest the likeliest token, which may be another one
 * @param best the likeliest token's probability
 * @param second the probability of the second likeliest
 * @param entropy of the model's distribution, in nats
 */
public record Proposal(
    int position,
    int token,
    double probability,
    int likeliest,
    double best,
    double second,
    double entropy) {

  /** The same position with another token, of this probability. */
  Proposal with(int other, double probabilityOfOther) {
    return new Proposal(position, other, probabilityOfOther, likeliest, best, second, entropy);
  }
}
