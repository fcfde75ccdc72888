package dev.apus.core.weight;

/** The weight files do not hold what the architecture asks for: the message names the tensor. */
public final class WeightException extends RuntimeException {

  private static final long serialVersionUID = 1;

  public WeightException(String message) {
    super(message);
  }
}
