# Rails' encrypted session cookie: ActiveSupport::MessageEncryptor used as EncryptedKeyRotatingCookieJar uses it.
# Usage: ruby rails.rb CORPUS SECONDS, the seconds for each file and direction. Prints one JSON line a file.
require "active_support"
require "active_support/json"
require "active_support/message_encryptor"
require "active_support/core_ext/numeric/time"
require "active_support/core_ext/date_and_time/calculations"
require "uri"

BATCHES = 7

def batch(count)
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
  count.times { yield }
  (Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond) - start).to_f / count
end

# The median of nanoseconds a call, and half the distance between the quartiles in percent of it.
def measure(seconds, &work)
  batch(20, &work)
  count = [1, (seconds * 1e9 / BATCHES / batch(20, &work)).to_i].max
  samples = Array.new(BATCHES) { batch(count, &work) }.sort
  median = samples[BATCHES / 2]
  [median, (samples[BATCHES * 3 / 4] - samples[BATCHES / 4]) / 2 / median * 100]
end

ActiveSupport.use_standard_json_time_format = true # as a Rails application has it
ENCRYPTOR = ActiveSupport::MessageEncryptor.new(
  SecureRandom.random_bytes(32), cipher: "aes-256-gcm", serializer: ActiveSupport::MessageEncryptor::NullSerializer)
PURPOSE = "cookie._app_session"

# The jar serializes by config.action_dispatch.cookies_serializer, :json; Rack escapes the value and unescapes it.
def seal(session)
  json = ActiveSupport::JSON.encode(session)
  URI.encode_www_form_component(ENCRYPTOR.encrypt_and_sign(json, purpose: PURPOSE, expires_in: 14.days))
end

def unseal(cookie)
  json = ENCRYPTOR.decrypt_and_verify(URI.decode_www_form_component(cookie), purpose: PURPOSE)
  json && ActiveSupport::JSON.decode(json) # nil: another purpose, or expired
end

corpus, seconds = ARGV[0], Float(ARGV[1])
Dir.children(corpus).sort.each do |file|
  session = JSON.parse(File.read(File.join(corpus, file)))
  cookie = seal(session)
  abort "#{file}: another session came back" unless unseal(cookie) == session
  changed = cookie.dup
  changed[100] = changed[100] == "A" ? "B" : "A"
  begin
    unseal(changed)
    abort "#{file}: a changed cookie was opened"
  rescue ActiveSupport::MessageEncryptor::InvalidMessage
  end
  seal_ns, seal_spread = measure(seconds) { seal(session) }
  open_ns, open_spread = measure(seconds) { unseal(cookie) }
  puts JSON.generate(
    peer: "Rails MessageEncryptor", version: ActiveSupport.version.to_s, file: File.basename(file, ".json"),
    size: cookie.bytesize, seal_ns: seal_ns, open_ns: open_ns, seal_spread: seal_spread, open_spread: open_spread,
    protects: { encrypted: true, signed: true, compressed: false, expires: true })
end
