/**
 * Models and sessions: what a program that uses Apus needs.
 *
 * <pre>{@code
 * try (Model model = Model.load(Path.of("models/Qwen3-0.6B"));
 *     Session session = model.newSession()) {
 *   session.generate("Once upon a time", Sampling.greedy())
 *       .forEach(token -> System.out.print(token.text()));
 * }
 * }</pre>
 */
package dev.apus.core;
