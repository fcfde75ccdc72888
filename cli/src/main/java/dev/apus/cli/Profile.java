package dev.apus.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingFile;

/**
 * Where the time of the calling thread goes, by what Flight Recorder finds it at: nothing is
 * measured, and nothing costs time, unless somebody asks.
 *
 * @param shares of the samples, by kind; together 1
 * @param samples how many there were
 */
record Profile(Map<String, Double> shares, int samples) {

  private static final String SAMPLE = "jdk.ExecutionSample";
  private static final String OTHERS = "everything else";
  private static final String RECURRENCE = "recurrence";

  /** Kinds of work by the beginning of a class's name, the more special before the more general. */
  private static final Map<String, String> KINDS = new LinkedHashMap<>();

  static {
    KINDS.put("dev.apus.kernels.matmul.", "matmul");
    KINDS.put("dev.apus.kernels.attention.", "attention");
    KINDS.put("dev.apus.kernels.memory.", RECURRENCE);
    KINDS.put("dev.apus.kernels.scan.", RECURRENCE);
    KINDS.put("dev.apus.core.model.RecurrentState", "keeping states");
    KINDS.put("dev.apus.kernels.conv.", "convolution");
    KINDS.put("dev.apus.kernels.norm.", "norms");
    KINDS.put("dev.apus.kernels.activation.", "activations, sums");
    KINDS.put("dev.apus.kernels.rope.", "rotary positions");
    KINDS.put("dev.apus.kernels.block.", "embedding");
    KINDS.put("dev.apus.core.compute.Workers", "hand-off, waiting");
    KINDS.put("dev.apus.moe.", "routing");
    KINDS.put("dev.apus.", OTHERS);
  }

  /** Every kind there is, in the order of a table. */
  static List<String> kinds() {
    return KINDS.values().stream().distinct().toList();
  }

  /** Runs something and says where its time went. */
  static Profile of(Runnable work) {
    long thread = Thread.currentThread().threadId();
    try (Recording recording = new Recording()) {
      recording.enable(SAMPLE).withPeriod(Duration.ofMillis(1));
      recording.start();
      work.run();
      recording.stop();
      Path file = Files.createTempFile("apus", ".jfr");
      try {
        recording.dump(file);
        return read(file, thread);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the profile could not be kept in a temporary file", e);
    }
  }

  private static Profile read(Path file, long thread) throws IOException {
    Map<String, Double> shares = new LinkedHashMap<>();
    kinds().forEach(kind -> shares.put(kind, 0.0));
    int samples = 0;
    try (RecordingFile events = new RecordingFile(file)) {
      while (events.hasMoreEvents()) {
        RecordedEvent event = events.readEvent();
        if (event.getEventType().getName().equals(SAMPLE)
            && event.getThread("sampledThread").getJavaThreadId() == thread) {
          shares.merge(kind(event), 1.0, Double::sum);
          samples++;
        }
      }
    }
    int all = Math.max(1, samples);
    shares.replaceAll((kind, count) -> count / all);
    return new Profile(shares, samples);
  }

  /** The kind of the innermost frame that has one. */
  private static String kind(RecordedEvent event) {
    if (event.getStackTrace() != null) {
      for (RecordedFrame frame : event.getStackTrace().getFrames()) {
        String type = frame.getMethod().getType().getName();
        for (Map.Entry<String, String> kind : KINDS.entrySet()) {
          if (type.startsWith(kind.getKey()) && !type.startsWith("dev.apus.kernels.math.")) {
            return kind.getValue();
          }
        }
      }
    }
    return OTHERS;
  }
}
