# Loads each URL of the standard input with HTTP::Tiny; HTTP::CookieJar keeps the cookies.   usage: tiny.pl CERTIFICATE
use strict;
use warnings;
use HTTP::CookieJar;
use HTTP::Tiny;

$| = 1;
my $agent = HTTP::Tiny->new(cookie_jar => HTTP::CookieJar->new, verify_SSL => 1, SSL_options => { SSL_ca_file => $ARGV[0] });
while (my $url = <STDIN>) {
    chomp $url;
    my $response = $agent->get($url);
    print $response->{success} ? "loaded" : "$response->{status} $response->{reason}", "\n";
}
