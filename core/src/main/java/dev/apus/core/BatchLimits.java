package dev.apus.core;

import java.util.Locale;

/**
 * What a {@link Batcher} takes on.
 *
 * @param rows tokens that one pass computes, at most: more serve more sessions with one reading of
 *     the weights, and make each of them wait longer
 * @param sessions that are computed by turns; others wait, and take no memory if they have no
 *     session yet
 * @param waiting that wait, at most; more are rejected
 */
public record BatchLimits(int rows, int sessions, int waiting) {

  public BatchLimits {
    if (rows < 1 || sessions < 1 || waiting < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "rows=%d, sessions=%d, waiting=%d; needed: 1 at least of each",
              rows,
              sessions,
              waiting));
    }
  }

  /** 256 rows, 1024 sessions, and 65536 that wait. */
  public static BatchLimits standard() {
    return new BatchLimits(256, 1024, 65_536);
  }

  public BatchLimits withRows(int count) {
    return new BatchLimits(count, sessions, waiting);
  }

  public BatchLimits withSessions(int count) {
    return new BatchLimits(rows, count, waiting);
  }

  public BatchLimits withWaiting(int count) {
    return new BatchLimits(rows, sessions, count);
  }
}
