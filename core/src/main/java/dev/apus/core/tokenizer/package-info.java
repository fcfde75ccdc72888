/**
 * Text to token ids and back, as a checkpoint's files or GGUF header say.
 *
 * <p>Whatever the file, encoding goes through five small parts, each of which refuses what it does
 * not know:
 *
 * <pre>
 * text ─ added tokens ─ normalizer ─ pre-tokenizer ─ model ─ template ─▶ ids
 * ids ─ tokens ─ decoder steps ─▶ text
 * </pre>
 *
 * <p>Decoding has one form, the streaming one; decoding a whole list is a stream that ends.
 */
package dev.apus.core.tokenizer;
