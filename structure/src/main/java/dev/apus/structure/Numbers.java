package dev.apus.structure;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;

/**
 * Numbers within bounds, digit by digit. Numbers with bounds have no exponent; those without have
 * one of two digits at most, so that they are numbers of every machine.
 */
final class Numbers {

  private static final Node DIGIT = digits('0', '9');
  private static final Node DIGITS = Nodes.repeat(DIGIT, 0, Node.UNBOUNDED);
  private static final Node FRACTION = Nodes.sequence(Nodes.text("."), DIGIT, DIGITS);

  private Numbers() {}

  /** Any number. */
  static Node any() {
    Node sign = Nodes.optional(new ByteTree().add("+").add("-"));
    Node exponent =
        Nodes.sequence(new ByteTree().add("e").add("E"), sign, Nodes.repeat(DIGIT, 1, 2));
    return Nodes.sequence(
        Nodes.optional(Nodes.text("-")),
        whole(BigInteger.ZERO, null),
        Nodes.optional(FRACTION),
        Nodes.optional(exponent));
  }

  /**
   * A whole number, without −0.
   *
   * @param least null for no bound
   * @param most null for no bound
   */
  static Node integer(BigInteger least, BigInteger most) {
    List<Node> ways = new ArrayList<>();
    if (most == null || most.signum() >= 0) {
      ways.add(whole(least == null ? BigInteger.ZERO : least.max(BigInteger.ZERO), most));
    }
    if (least == null || least.signum() < 0) {
      BigInteger from = most == null || most.signum() >= 0 ? BigInteger.ONE : most.negate();
      BigInteger to = least == null ? null : least.negate();
      ways.add(Nodes.sequence(Nodes.text("-"), whole(from, to)));
    }
    return Nodes.choice(ways);
  }

  /** A whole number that is not negative, from {@code least} to {@code most} or without end. */
  private static Node whole(BigInteger least, BigInteger most) {
    if (most != null && least.compareTo(most) > 0) {
      return Nodes.NONE;
    }
    List<Node> ways = new ArrayList<>();
    String low = least.toString();
    int longest = most == null ? low.length() : most.toString().length();
    for (int length = low.length(); length <= longest; length++) {
      String first = length == low.length() ? low : "1" + "0".repeat(length - 1);
      boolean last = most != null && length == longest;
      ways.add(between(first, last ? most.toString() : "9".repeat(length)));
    }
    if (most == null) {
      ways.add(Nodes.sequence(digits('1', '9'), Nodes.repeat(DIGIT, low.length(), Node.UNBOUNDED)));
    }
    return Nodes.choice(ways);
  }

  /** Digits as many as both have, from {@code low} to {@code high}. */
  private static Node between(String low, String high) {
    if (low.isEmpty()) {
      return Node.EMPTY;
    }
    int rest = low.length() - 1;
    String nines = "9".repeat(rest);
    String zeros = "0".repeat(rest);
    char from = low.charAt(0);
    char to = high.charAt(0);
    String lowRest = low.substring(1);
    String highRest = high.substring(1);
    if (from == to) {
      return Nodes.sequence(digits(from, to), between(lowRest, highRest));
    }
    List<Node> ways = new ArrayList<>();
    boolean wholeLow = lowRest.equals(zeros);
    boolean wholeHigh = highRest.equals(nines);
    char first = wholeLow ? from : (char) (from + 1);
    char last = wholeHigh ? to : (char) (to - 1);
    if (!wholeLow) {
      ways.add(Nodes.sequence(digits(from, from), between(lowRest, nines)));
    }
    if (first <= last) {
      ways.add(Nodes.sequence(digits(first, last), Nodes.repeat(DIGIT, rest, rest)));
    }
    if (!wholeHigh) {
      ways.add(Nodes.sequence(digits(to, to), between(zeros, highRest)));
    }
    return Nodes.choice(ways);
  }

  private static Node digits(char from, char to) {
    ByteTree tree = new ByteTree();
    for (char c = from; c <= to; c++) {
      tree.add(String.valueOf(c));
    }
    return tree;
  }

  /** An end of a range. */
  record Bound(BigDecimal value, boolean exclusive) {

    private Bound negated() {
      return new Bound(value.negate(), exclusive);
    }

    private BigInteger whole() {
      return value.setScale(0, RoundingMode.FLOOR).toBigInteger();
    }

    /** The digits after the point, without zeros at their end. */
    private String fraction() {
      BigDecimal rest = value.subtract(new BigDecimal(whole())).stripTrailingZeros();
      return rest.signum() == 0 ? "" : rest.toPlainString().substring("0.".length());
    }
  }

  /**
   * A number within bounds.
   *
   * @param least null for no bound
   * @param most null for no bound
   */
  static Node within(Bound least, Bound most) {
    List<Node> ways = new ArrayList<>();
    Bound zero = new Bound(BigDecimal.ZERO, false);
    if (most == null || most.value().signum() >= 0) {
      ways.add(positive(least == null || least.value().signum() < 0 ? zero : least, most));
    }
    if (least == null || least.value().signum() < 0) {
      // Zero has been dealt with; −0 is left out, and with it what is spelled −0.0.
      Bound above = new Bound(BigDecimal.ZERO, true);
      Bound from = most == null || most.value().signum() >= 0 ? above : most.negated();
      ways.add(
          Nodes.sequence(Nodes.text("-"), positive(from, least == null ? null : least.negated())));
    }
    return Nodes.choice(ways);
  }

  private static Node positive(Bound least, Bound most) {
    BigInteger low = least.whole();
    if (most != null && low.compareTo(most.whole()) > 0) {
      return Nodes.NONE;
    }
    if (most != null && low.compareTo(most.whole()) == 0) {
      return Nodes.sequence(
          Nodes.text(low.toString()), fraction(new Digits(least, 0), new Digits(most, 0)));
    }
    List<Node> ways = new ArrayList<>();
    ways.add(Nodes.sequence(Nodes.text(low.toString()), fraction(new Digits(least, 0), null)));
    BigInteger next = low.add(BigInteger.ONE);
    BigInteger last = most == null ? null : most.whole().subtract(BigInteger.ONE);
    ways.add(Nodes.sequence(whole(next, last), Nodes.optional(FRACTION)));
    if (most != null) {
      ways.add(
          Nodes.sequence(Nodes.text(most.whole().toString()), fraction(null, new Digits(most, 0))));
    }
    return Nodes.choice(ways);
  }

  /** A bound's digits after the point, of which some have been met exactly. */
  private record Digits(String digits, boolean exclusive, int at) {

    Digits(Bound bound, int at) {
      this(bound.fraction(), bound.exclusive(), at);
    }

    /** The next digit; zeros follow the last. */
    int next() {
      return at < digits.length() ? digits.charAt(at) - '0' : 0;
    }

    boolean met() {
      return at >= digits.length();
    }

    Digits after() {
      return new Digits(digits, exclusive, Math.min(at + 1, digits.length()));
    }
  }

  /** What may follow the digits before the point, where these are those of the bounds. */
  private static Node fraction(Digits low, Digits high) {
    Node tail = tail(low, high);
    List<Node> ways = new ArrayList<>();
    ways.add(Nodes.sequence(Nodes.text("."), tail));
    if (mayEnd(low, high)) {
      ways.add(Node.EMPTY);
    }
    return Nodes.choice(ways);
  }

  private static boolean mayEnd(Digits low, Digits high) {
    boolean enough = low == null || (low.met() && !low.exclusive());
    boolean notTooMuch = high == null || !high.met() || !high.exclusive();
    return enough && notTooMuch;
  }

  /** Digits after the point, one at least; null is a bound that no longer matters. */
  private static Node tail(Digits low, Digits high) {
    if (low == null && high == null) {
      return Nodes.sequence(DIGIT, DIGITS);
    }
    if (low != null && low.met() && high == null) {
      Node zeros = Nodes.repeat(Nodes.text("0"), 0, Node.UNBOUNDED);
      Node more = Nodes.sequence(zeros, digits('1', '9'), DIGITS);
      return low.exclusive() ? more : Nodes.sequence(DIGIT, DIGITS);
    }
    if (low == null && high.met()) {
      return high.exclusive() ? Nodes.NONE : Nodes.repeat(Nodes.text("0"), 1, Node.UNBOUNDED);
    }
    if (low != null && low.met() && high.met()) {
      return low.exclusive() || high.exclusive()
          ? Nodes.NONE
          : Nodes.repeat(Nodes.text("0"), 1, Node.UNBOUNDED);
    }
    List<Node> ways = new ArrayList<>();
    int from = low == null ? 0 : low.next();
    int to = high == null ? 9 : high.next();
    for (int digit = from; digit <= to; digit++) {
      Digits lowLeft = low != null && digit == from ? low.after() : null;
      Digits highLeft = high != null && digit == to ? high.after() : null;
      Node more = tail(lowLeft, highLeft);
      Node rest = mayEnd(lowLeft, highLeft) ? Nodes.optional(more) : more;
      ways.add(Nodes.sequence(digits((char) ('0' + digit), (char) ('0' + digit)), rest));
    }
    return Nodes.choice(ways);
  }
}
