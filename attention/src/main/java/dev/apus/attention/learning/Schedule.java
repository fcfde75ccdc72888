package dev.apus.attention.learning;

/**
 * How far the tokens of a chunk move the weights that a model had at the chunk's beginning.
 *
 * <pre>
 *   W_t = kept_t · W + pushed_t · V − Σ_{s ≤ t} c_ts ∇_s
 *   V_t = carried_t · V − Σ_{s ≤ t} e_ts ∇_s
 * </pre>
 *
 * <p>∇_s is token s's gradient at W, and V the velocity with which the weights came, if there is
 * one. All gradients of a chunk are known without its other tokens, so a token needs no weights of
 * its own, only these numbers. They are kept between tokens as a few floats, which are written
 * where they are said to be.
 */
interface Schedule {

  /** Whether weights have a velocity. */
  boolean hasVelocity();

  /** Numbers that a token has for each head. */
  int rates();

  /** Floats that are kept between the tokens of a chunk. */
  int floats();

  /** Before the first token of a chunk. */
  void begin(float[] kept, int at);

  /**
   * Takes the next token and writes {@code −c_ts} for all s up to it.
   *
   * @param t the token's number in the chunk
   * @param rates its numbers, {@code step} apart
   */
  void next(int t, float[] rates, int ratesAt, int step, float[] kept, int at, float[] c, int cAt);

  /** {@code kept_t} of the token taken last. */
  float kept(float[] kept, int at);

  /** {@code pushed_t} of the token taken last. */
  float pushed(float[] kept, int at);

  /** {@code carried_t} of the token taken last. */
  float carried(float[] kept, int at);

  /** Writes {@code −e_ts} of the token taken last, for all s up to it. */
  void velocity(int t, float[] kept, int at, float[] e, int eAt);
}
