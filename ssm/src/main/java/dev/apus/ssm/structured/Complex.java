package dev.apus.ssm.structured;

/** A complex number in double precision; its functions give the same bits on every machine. */
record Complex(double re, double im) {

  static final Complex ONE = new Complex(1, 0);

  Complex plus(Complex other) {
    return new Complex(re + other.re, im + other.im);
  }

  Complex plus(double real) {
    return new Complex(re + real, im);
  }

  Complex times(Complex other) {
    return new Complex(re * other.re - im * other.im, re * other.im + im * other.re);
  }

  Complex times(double factor) {
    return new Complex(factor * re, factor * im);
  }

  Complex conjugate() {
    return new Complex(re, -im);
  }

  double squares() {
    return re * re + im * im;
  }

  Complex over(Complex other) {
    return times(other.conjugate()).times(1 / other.squares());
  }

  Complex exp() {
    double size = StrictMath.exp(re);
    return new Complex(size * StrictMath.cos(im), size * StrictMath.sin(im));
  }

  /** {@code eᶻ − 1}, precise for small z too. */
  Complex expm1() {
    double half = StrictMath.sin(im / 2);
    double real = StrictMath.expm1(re) * StrictMath.cos(im) - 2 * half * half;
    return new Complex(real, StrictMath.exp(re) * StrictMath.sin(im));
  }
}
