# Loads each URL of the standard input and keeps the cookies in ruby-http-cookie's jar.   usage: jar.rb CERTIFICATE
require "http/cookie"
require "net/http"

jar = HTTP::CookieJar.new
$stdout.sync = true
while (line = $stdin.gets)
  uri = URI(line.chomp)
  begin
    request = Net::HTTP::Get.new(uri)
    cookies = HTTP::Cookie.cookie_value(jar.cookies(uri))
    request["Cookie"] = cookies unless cookies.empty?
    response = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https", ca_file: ARGV[0]) { |http| http.request(request) }
    (response.get_fields("Set-Cookie") || []).each { |set| jar.parse(set, uri) }
    puts "loaded"
  rescue StandardError => error
    puts error.message.tr("\n", " ")
  end
end
