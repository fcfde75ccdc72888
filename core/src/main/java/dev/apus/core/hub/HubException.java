package dev.apus.core.hub;

/** A model that could not be had from a hub: the message says why and what to do. */
public final class HubException extends RuntimeException {

  private static final long serialVersionUID = 1;

  HubException(String message) {
    super(message);
  }

  HubException(String message, Throwable cause) {
    super(message, cause);
  }
}
